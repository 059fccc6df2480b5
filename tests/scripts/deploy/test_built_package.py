"""The built package: the same lock gives the same environment, its papers are true, executors need nothing else."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from etl.cloud.bigquery import Warehouse
from etl.keys import create_keyring_file
from etl.settings import load_settings
from etl.upkeep.prepare import prepare
from schemas.contract import Contract
from schemas.contract_file import load_contracts
from scripts.deploy.package import ARCHIVE, BILL, MANIFEST, SCRIPTS, SUMS, VARIABLE, build
from scripts.deploy.packaging import lock
from scripts.deploy.packaging.archive import digest, members
from scripts.deploy.packaging.environment import SITE, build_environment, installed
from scripts.local_stack.local_stack import Endpoints
from tests.scripts.deploy.conftest import DEPLOY, PYTHON, ROOT
from tests.scripts.deploy.standalone import BARE, SPARK, standalone

pytestmark = pytest.mark.deploy
DAY = "2023-08-30"
ONE_AFTER_ANOTHER = Path(__file__).with_name("one_after_another.py")
VALIDATE = """
import json, sys
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
problem = JsonStrictValidator(SchemaVersion.V1_6).validate_str(sys.stdin.read())
sys.exit(str(problem) if problem else 0)
"""


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Returns a package, built as `make package` does."""
    into = tmp_path_factory.mktemp("package")
    build(into, None)
    return into


@pytest.fixture(scope="module")
def unpacked(package: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Returns the environment, unpacked somewhere else than where it was built."""
    folder = tmp_path_factory.mktemp("environment")
    subprocess.run(["tar", "-xzf", str(package / ARCHIVE), "-C", str(folder)], check=True)  # noqa: S603, S607  as Glue does
    return folder


@pytest.mark.timeout(600)
def test_the_same_lock_gives_the_same_environment(package: Path, tmp_path: Path) -> None:
    """Built once more, from the same lock and commit, the content has the same digest."""
    manifest = json.loads((package / MANIFEST).read_text(encoding="utf-8"))
    build_environment(tmp_path / "again", manifest["commit"])
    assert digest(tmp_path / "again") == manifest["digest"]


def test_the_sums_are_the_files(package: Path) -> None:
    """`sha256sum --check` agrees, and Terraform's variable names the same content."""
    subprocess.run(["sha256sum", "--check", "--quiet", SUMS], cwd=package, check=True)  # noqa: S603, S607  ours
    manifest = json.loads((package / MANIFEST).read_text(encoding="utf-8"))
    variable = json.loads((package / VARIABLE).read_text(encoding="utf-8"))["package"]
    assert variable == {"digest": manifest["digest"], "commit": manifest["commit"], "archive": ARCHIVE}
    assert {*SCRIPTS, ARCHIVE, BILL} == set(manifest["sha256"])


def test_the_readme_tells_its_size(package: Path, unpacked: Path) -> None:
    """The sizes and the number of distributions that the README shows are those of the package."""
    text = (DEPLOY / "README.md").read_text(encoding="utf-8")
    told = re.search(rf"{ARCHIVE}: (\d+) MiB, (\d+) MiB unpacked, (\d+) distributions", text)
    assert told is not None
    sizes = (package / ARCHIVE).stat().st_size, sum(one.lstat().st_size for one in members(unpacked))
    assert [int(size) for size in told.groups()[:2]] == [pytest.approx(size / (1 << 20), rel=0.02) for size in sizes]
    assert int(told[3]) == len(installed(unpacked))


def test_the_bill_of_materials_is_whole(package: Path, unpacked: Path) -> None:
    """It is valid CycloneDX, and names every distribution that is installed with its version."""
    text = (package / BILL).read_text(encoding="utf-8")
    done = subprocess.run([str(PYTHON), "-c", VALIDATE], input=text, check=False, capture_output=True, text=True)  # noqa: S603
    assert done.returncode == 0, done.stderr
    told = {(one["name"], one["version"]) for one in json.loads(text)["components"]}
    assert told == {(one.metadata["Name"], one.version) for one in installed(unpacked)}
    assert {lock.normalized(name) for name, _ in told} == {*lock.names(lock.glue_lock()), "kagemusha"}


def test_the_environment_holds_the_package_and_its_commit(package: Path, unpacked: Path) -> None:
    """The package's version names the commit; contracts, suites, views and styles came along; nothing of Spark did."""
    commit = json.loads((package / MANIFEST).read_text(encoding="utf-8"))["commit"]
    (ours,) = (one for one in installed(unpacked) if one.metadata["Name"] == "kagemusha")
    assert ours.version == f"0.1.0+g{commit}"
    tracked = subprocess.run(
        ["git", "ls-files", "etl", "masking", "schemas", "jobs", "expectations"],  # noqa: S607
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    ).stdout.split()
    missing = [name for name in tracked if not (unpacked / SITE / name).exists()]
    assert not missing
    assert not (unpacked / SITE / "pyspark").exists()
    assert (unpacked / "bin/python").readlink() == Path("/usr/bin/python3.11")


@pytest.fixture(scope="module")
def issuer(stack: Endpoints) -> Endpoints:
    """Returns a seeded stack, prepared for its first run."""
    keyring = Path(load_settings(stack.settings).keyring.ref.removeprefix("file:"))
    if not keyring.exists():
        create_keyring_file(keyring)
    subprocess.run(  # noqa: S603  our own script
        [
            *(sys.executable, "scripts/synth.py", "create", "--scale", "3000"),
            *("--first-day", "2023-08-27", "--last-day", DAY, "--url", stack.primary_url),
        ],
        cwd=ROOT,
        check=True,
        capture_output=True,
    )
    prepare(load_settings(stack.settings), load_contracts())
    return stack


def published(stack: Endpoints) -> dict[str, list[str]]:
    """Returns every published row of every table, ordered."""
    warehouse = Warehouse.of(load_settings(stack.settings))

    def rows(contract: Contract) -> list[str]:
        days = f"{contract.partition_by} >= '2000-01-01'" if contract.partition_by else "TRUE"
        found = warehouse.client.query_and_wait(f"SELECT * FROM {contract.publish} WHERE {days}")
        return sorted(repr(row.values()) for row in found)

    return {name: rows(contract) for name, contract in load_contracts().items()}


@pytest.mark.timeout(1800)
def test_executors_need_nothing_but_the_archive(
    issuer: Endpoints, package: Path, unpacked: Path, tmp_path: Path
) -> None:
    """On a cluster whose workers have Spark and a bare Python, the packaged job publishes the rows of a local run."""
    with standalone(tmp_path) as master:
        done = _submitted(master, package, unpacked, tmp_path, str(issuer.settings))
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-3000:]
    assert "/environment/bin/python, key, bucket, reader joined" in done.stdout
    from_archive = published(issuer)
    local = subprocess.run(  # noqa: S603  our own command
        [sys.executable, "-m", "etl.cli", "run", "--day", DAY, "--settings", str(issuer.settings)],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        check=False,
        capture_output=True,
        text=True,
    )
    assert local.returncode == 0, local.stdout[-3000:]
    assert published(issuer) == from_archive
    assert all(from_archive.values())


def _submitted(
    master: str, package: Path, unpacked: Path, folder: Path, settings: str
) -> subprocess.CompletedProcess[str]:
    """Runs the package's smoke job and its load as Glue does: the driver unpacked, executors from the archive."""
    options = (
        *("--master", master, "--archives", f"{package / ARCHIVE}#environment", "--driver-memory", "1g"),
        *("--conf", "spark.executor.memory=1g", "--conf", "spark.executorEnv.HOME=/nonexistent"),
    )
    jobs = [f"smoke.py --settings {settings}", f"daily_load.py --settings {settings} --day {DAY}"]
    return subprocess.run(  # noqa: S603  Spark's own
        [str(SPARK / "bin/spark-submit"), *options, str(ONE_AFTER_ANOTHER), str(package), *jobs],
        cwd=folder,
        env={
            **BARE,
            "HOME": str(folder),
            "PYSPARK_DRIVER_PYTHON": str(unpacked / "bin/python"),
            "PYSPARK_PYTHON": "./environment/bin/python",
        },
        check=False,
        capture_output=True,
        text=True,
    )
