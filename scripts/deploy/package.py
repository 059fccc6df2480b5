#!/usr/bin/env python3
"""Builds what Glue runs, and takes it to the bucket of code.

    scripts/deploy/package.py build [--rds-bundle global-bundle.pem]     # into dist/deploy
    scripts/deploy/package.py upload --bucket kagemusha-code-123456789012

`build` writes the environment, the scripts of the jobs, a bill of materials, a manifest of SHA-256 sums and the
variable by which Terraform finds them. The name of its place in the bucket is the digest of its content, so that a
package is never replaced and an older one is always there to go back to.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))

from scripts.deploy.packaging.archive import digest, members, pack, sha256  # noqa: E402  the path comes first
from scripts.deploy.packaging.environment import build_environment, installed  # noqa: E402
from scripts.deploy.packaging.lock import GLIBC, too_new  # noqa: E402
from scripts.deploy.packaging.materials import bill  # noqa: E402

INTO: Final = ROOT / "dist/deploy"
ARCHIVE, BILL, MANIFEST, SUMS = "environment.tar.gz", "materials.cdx.json", "manifest.json", "SHA256SUMS"
VARIABLE: Final = "package.auto.tfvars.json"
SCRIPTS: Final = ("daily_load.py", "backfill.py", "smoke.py")
_MIB: Final = 1 << 20


def build(into: Path, rds_bundle: Path | None) -> str:
    """Builds everything into a folder, says its size, and gives the package's digest."""
    shutil.rmtree(into, ignore_errors=True)
    into.mkdir(parents=True)
    commit = _commit()
    with tempfile.TemporaryDirectory() as scratch:
        environment = Path(scratch) / "environment"
        build_environment(environment, commit, rds_bundle)
        found = installed(environment)
        strange = {one.metadata["Name"]: tags for one in found if (tags := too_new(one))}
        if strange:
            sys.exit(f"These wheels need more than glibc {'.'.join(map(str, GLIBC))}: {strange}. Nothing was built.")
        content = digest(environment)
        pack(environment, into / ARCHIVE)
        (into / BILL).write_text(json.dumps(bill(found, content, commit), indent=1) + "\n", encoding="utf-8")
        unpacked = sum(path.stat().st_size for path in members(environment) if not path.is_symlink())
    for script in SCRIPTS:
        shutil.copy(ROOT / "jobs" / script, into / script)
    named = [ARCHIVE, BILL, *SCRIPTS]
    sums = {name: sha256(into / name) for name in named}
    manifest = {"digest": content, "commit": commit, "python": "3.11", "glibc": GLIBC, "sha256": sums}
    (into / MANIFEST).write_text(json.dumps(manifest, indent=1) + "\n", encoding="utf-8")
    (into / SUMS).write_text("".join(f"{known}  {name}\n" for name, known in sums.items()), encoding="utf-8")
    variable = {"package": {"digest": content, "commit": commit, "archive": ARCHIVE}}
    (into / VARIABLE).write_text(json.dumps(variable, indent=1) + "\n", encoding="utf-8")
    size = (into / ARCHIVE).stat().st_size
    print(f"{ARCHIVE}: {size / _MIB:.0f} MiB, {unpacked / _MIB:.0f} MiB unpacked, {len(found)} distributions")
    print(f"digest {content}, commit {commit}" + ("" if rds_bundle else "; without certificates of RDS"))
    return content


def upload(into: Path, bucket: str) -> None:
    """Takes the package to `packages/DIGEST/`; what is there already stays as it is."""
    import boto3  # noqa: PLC0415  only this command needs AWS

    content = json.loads((into / MANIFEST).read_text(encoding="utf-8"))["digest"]
    client = boto3.client("s3")
    there = {
        found["Key"]
        for found in client.list_objects_v2(Bucket=bucket, Prefix=f"packages/{content}/").get("Contents", [])
    }
    for name in (ARCHIVE, BILL, SUMS, VARIABLE, *SCRIPTS, MANIFEST):
        key = f"packages/{content}/{name}"
        if key in there:
            print(f"{key}: there already")
        else:
            client.upload_file(str(into / name), bucket, key, ExtraArgs={"ChecksumAlgorithm": "SHA256"})
            print(f"{key}: uploaded")


def _commit() -> str:
    """Returns the commit, marked where tracked files differ from it."""
    said = subprocess.run(
        ["git", "describe", "--always", "--dirty=.dirty", "--abbrev=12", "--exclude=*"],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    )
    return said.stdout.strip()


def main(argv: list[str]) -> None:
    """Reads the arguments and runs the command."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--into", type=Path, default=INTO, help="the folder of the package; default: dist/deploy")
    commands = parser.add_subparsers(dest="command", required=True)
    building = commands.add_parser("build")
    building.add_argument("--rds-bundle", type=Path, help="certificates of RDS, for sslrootcert=bundled:rds")
    commands.add_parser("upload").add_argument("--bucket", required=True, help="the bucket of code")
    given = parser.parse_args(argv)
    if given.command == "build":
        build(given.into, given.rds_bundle)
    else:
        upload(given.into, given.bucket)


if __name__ == "__main__":
    main(sys.argv[1:])
