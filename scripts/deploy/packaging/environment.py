"""A virtual environment for Glue 5.1, put together without running anything of it: it can be made on any Linux.

Source: AWS Glue Developer Guide, "Using Python virtual environments with AWS Glue": the archive replaces the whole
Python environment of driver and executors.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import zipfile
from importlib.metadata import Distribution, distributions
from pathlib import Path
from typing import Final

from scripts.deploy.packaging.lock import PYTHON, ROOT, glue_lock

INTERPRETER: Final = "/usr/bin/python3.11"
"""Where Amazon Linux 2023 and Debian 12 both have it; the environment's own `python` leads there."""
PACKAGES: Final = ("etl", "masking", "schemas", "jobs", "expectations")
SITE: Final = f"lib/python{PYTHON}/site-packages"
RDS_BUNDLE: Final = "etl/source/ca/rds.pem"
_PLATFORM: Final = "x86_64-manylinux_2_34"
_ACTIVATE: Final = """\
# Sourced: puts this environment first on PATH, wherever it was unpacked.
VIRTUAL_ENV="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
PATH="$VIRTUAL_ENV/bin:$PATH"
export VIRTUAL_ENV PATH
"""
_CONFIGURATION: Final = """\
home = /usr/bin
include-system-site-packages = false
version = 3.11
"""


def build_environment(folder: Path, commit: str, rds_bundle: Path | None = None, root: Path = ROOT) -> None:
    """Fills a folder with the environment: the interpreter's link, the locked wheels, this package.

    Args:
        folder: an empty one.
        commit: becomes a part of the package's version, which the ledger and the evidence name.
        rds_bundle: the certificates of RDS, for `sslrootcert=bundled:rds`.
        root: the checkout.
    """
    site = folder / SITE
    site.mkdir(parents=True)
    _install_locked(site, root)
    install_package(site, commit, root)
    if rds_bundle:
        (site / RDS_BUNDLE).write_bytes(rds_bundle.read_bytes())
    binaries = folder / "bin"
    binaries.mkdir()
    (binaries / "python").symlink_to(INTERPRETER)
    for name in ("python3", f"python{PYTHON}"):
        (binaries / name).symlink_to("python")
    (binaries / "activate").write_text(_ACTIVATE, encoding="utf-8")
    (folder / "pyvenv.cfg").write_text(_CONFIGURATION, encoding="utf-8")


def installed(folder: Path) -> list[Distribution]:
    """Returns what is installed in an environment."""
    return sorted(distributions(path=[str(folder / SITE)]), key=lambda found: found.metadata["Name"].lower())


def _uv(*arguments: str, **variables: str) -> None:
    program = str(Path(sys.executable).with_name("uv"))
    subprocess.run([program, *arguments], check=True, env={**os.environ, **variables})


def _install_locked(site: Path, root: Path) -> None:
    """Installs wheels only, by their hashes, of a platform that Glue's glibc can load."""
    with tempfile.NamedTemporaryFile("w", suffix=".txt", encoding="utf-8") as lock:
        lock.write(glue_lock(root))
        lock.flush()
        _uv(
            *("pip", "install", "--quiet", "--target", str(site), "--link-mode", "copy", "--no-deps"),
            *("--python-version", PYTHON, "--python-platform", _PLATFORM, "--only-binary", ":all:"),
            *("--require-hashes", "--requirements", lock.name),
        )
    shutil.rmtree(site / "bin", ignore_errors=True)  # scripts of others, with paths of this machine
    (site / ".lock").unlink(missing_ok=True)
    for compiled in site.rglob("__pycache__"):
        shutil.rmtree(compiled)


def install_package(site: Path, commit: str, root: Path) -> None:
    """Builds the wheel from tracked files alone and unpacks it: nothing of the desk gets in."""
    with tempfile.TemporaryDirectory() as scratch:
        source = Path(scratch) / "source"
        for name in _tracked(root):
            target = source / name
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(root / name, target)
        _uv(
            *("build", "--quiet", "--wheel", "--no-build-isolation", "--python", sys.executable),
            *("--out-dir", scratch, str(source)),
            KAGEMUSHA_COMMIT=commit,
        )
        (wheel,) = Path(scratch).glob("*.whl")
        with zipfile.ZipFile(wheel) as packed:
            packed.extractall(site)


def _tracked(root: Path) -> list[str]:
    wanted = [*PACKAGES, "setup.py", "pyproject.toml", "README.md"]
    listed = subprocess.run(["git", "ls-files", "-z", *wanted], cwd=root, check=True, capture_output=True, text=True)
    return [name for name in listed.stdout.split("\0") if name and (root / name).exists()]
