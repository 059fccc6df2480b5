"""The package as users get it: complete, installed away from the checkout, on one machine and on a cluster."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import boto3
import pytest

from etl.cloud.bigquery import Warehouse
from etl.cloud.storage import StagingBucket, StagingLocation
from etl.keys import create_keyring_file
from etl.ledger import Ledger, all_leases
from etl.settings import Settings, load_settings
from schemas.contract_file import BUNDLED, load_contracts
from scripts.fault_injection.processes import ancestors
from scripts.local_stack.local_stack import Endpoints, LocalStack
from tests.package import cluster as spark_cluster
from tests.package.cluster import Cluster
from tests.package.environment import ROOT, Built, Environment, build, installed, tracked_files

pytestmark = [pytest.mark.stack, pytest.mark.timeout(600)]
DAY: Final = "2023-08-30"
TABLES: Final = ("clubs", "members", "payments")
AWS: Final = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_DEFAULT_REGION": "ap-northeast-1"}
NO_FILES: Final = ("kagemusha", "etl", "masking", "schemas", "jobs", "expectations")
Rows = dict[str, list[tuple[Any, ...]]]


@dataclass(frozen=True)
class Issuer:
    """The made-up issuer on a stack of this module's own."""

    ends: Endpoints
    settings: Settings
    warehouse: Warehouse

    def rows(self, prefix: str, *tables: str) -> Rows:
        """Returns every published row of tables whose contracts publish under a prefix."""
        known, found = load_contracts(), {}
        for name in tables:
            dataset, _, table = known[name].publish.partition(".")
            days = f"{known[name].partition_by} >= '2000-01-01'" if known[name].partition_by else "TRUE"
            sql = f"SELECT * FROM {dataset}.{prefix}{table} WHERE {days}"
            found[name] = sorted((tuple(row) for row in self.warehouse.client.query_and_wait(sql)), key=repr)
        return found

    @property
    def ports(self) -> list[int]:
        """The servers that workers talk to."""
        return [urlsplit(url).port or 0 for url in (self.ends.source_url, self.ends.storage, self.ends.bigquery)]


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Returns a folder outside the checkout."""
    return tmp_path_factory.mktemp("package")


@pytest.fixture(scope="module")
def built(root: Path) -> Built:
    """Returns a release of what git tracks."""
    return build(root / "built")


@pytest.fixture(scope="module")
def driver(root: Path, built: Built) -> Environment:
    """Returns the environment that the wheel is installed in."""
    return installed(root / "driver", built.wheel)


@pytest.fixture(scope="module")
def workers(root: Path, driver: Environment) -> Environment:
    """Returns the workers' environment: the same packages at another path."""
    return driver.laid_out(root / "opt" / "workers")


@pytest.fixture(scope="module")
def bare(root: Path, driver: Environment) -> Environment:
    """Returns an environment with all that the package needs, without the package."""
    ours = [one.name for one in driver.packages.iterdir() if one.name.partition("-")[0] in NO_FILES]
    return driver.laid_out(root / "bare", without=ours)


@pytest.fixture(scope="module")
def issuer() -> Iterator[Issuer]:
    """Yields a seeded issuer at the end of the day."""
    folder = Path(tempfile.mkdtemp())  # a short name, for sockets
    stack = LocalStack(folder)
    try:
        ends = stack.up()
        settings = load_settings(ends.settings)
        create_keyring_file(Path(settings.keyring.ref.removeprefix("file:")))
        seed = [sys.executable, "scripts/synth.py", "create", "--scale", "1500", "--first-day", DAY, "--last-day", DAY]
        subprocess.run([*seed, "--url", ends.primary_url], cwd=ROOT, check=True, capture_output=True)  # noqa: S603
        yield Issuer(ends, settings, Warehouse(settings.bigquery))
    finally:
        stack.reset()
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="module")
def reference(issuer: Issuer, driver: Environment, root: Path) -> Rows:
    """Returns what the installed command publishes on this machine, by the contracts of the package."""
    words = [word for table in TABLES for word in ("--table", table)]
    done = driver.run("kagemusha", "run", "--day", DAY, *words, "--settings", issuer.ends.settings, cwd=root)
    assert done.returncode == 0, done.stdout + done.stderr
    return issuer.rows("", *TABLES)


@pytest.fixture(scope="module")
def master(driver: Environment, root: Path) -> Iterator[Cluster]:
    """Yields a cluster that has no worker yet."""
    with spark_cluster.master(driver, root / "cluster") as found:
        yield found


@pytest.fixture(scope="module")
def cluster(master: Cluster, issuer: Issuer) -> Iterator[Cluster]:
    """Yields the cluster with two workers."""
    with spark_cluster.with_workers(master, issuer.ports) as found:
        yield found


def contracts(prefix: str) -> dict[str, bytes]:
    """Returns the bundled contracts by file name, publishing under a prefix."""
    found = {path.name: path.read_text(encoding="utf-8") for path in BUNDLED.glob("*.yaml")}
    return {
        name: "".join(
            line.replace(".", f".{prefix}", 1) if line.startswith("publish: ") else line
            for line in text.splitlines(keepends=True)
        ).encode()
        for name, text in found.items()
    }


def job(environment: Environment) -> Path:
    """Returns the installed job's file."""
    return environment.packages / "jobs" / "daily_load.py"


def test_wheel_and_sdist_are_complete(built: Built) -> None:
    """Every file of the packages that git tracks is in both."""
    assert set(tracked_files()) <= built.wheel_names()
    assert set(tracked_files()) <= built.sdist_names()


def test_a_kind_of_file_that_setup_forgets_is_missed(root: Path) -> None:
    """Without `*.css` in setup.py's list the wheel lacks every style sheet, and the test above would fail."""

    def forget(source: Path) -> None:
        setup = (source / "setup.py").read_text(encoding="utf-8")
        (source / "setup.py").write_text(setup.replace('"*.css", ', ""), encoding="utf-8")

    missing = set(tracked_files()) - build(root / "forgetful", forget).wheel_names()
    assert missing == {name for name in tracked_files() if name.endswith(".css")}
    assert "expectations/data_docs.css" in missing


def test_the_installed_command_runs(reference: Rows) -> None:
    """`kagemusha run` of the wheel publishes what the package's own contracts say, with nothing of the checkout."""
    assert all(reference[table] for table in TABLES)


def test_a_module_runs_with_contracts_from_cloud_storage(
    issuer: Issuer, driver: Environment, root: Path, reference: Rows
) -> None:
    """`python -m jobs.daily_load` takes `--contracts gs://…`, by the settings' login; Glue's own package is absent."""
    bucket = StagingBucket(StagingLocation.of(issuer.settings))
    for name, content in contracts("by_google_").items():
        bucket.write(f"reviewed/{name}", content, "application/yaml")
    assert not (driver.packages / "awsglue").exists()
    place = f"gs://{issuer.settings.stage.bucket}/reviewed"
    command = ["-m", "jobs.daily_load", "--day", DAY, "--tables=clubs", "--contracts", place]
    done = driver.run("python", *command, "--settings", issuer.ends.settings, cwd=root)
    assert done.returncode == 0, done.stdout + done.stderr
    assert issuer.rows("by_google_", "clubs") == {"clubs": reference["clubs"]}


def test_a_cluster_without_a_worker_is_given_up(
    issuer: Issuer, driver: Environment, workers: Environment, master: Cluster, root: Path
) -> None:
    """The run ends with 3 and the reason, and no table was taken, so the next run need not wait."""
    settings = root / "impatient.toml"
    settings.write_text(
        issuer.ends.settings.read_text(encoding="utf-8") + "\n[limits]\nworker_wait_seconds = 3\n", encoding="utf-8"
    )
    command = [*master.conf(driver, workers), job(driver), "--day", DAY, "--tables=clubs", "--settings", settings]
    done = driver.run("spark-submit", *command, cwd=root)
    assert done.returncode == 3, done.stdout + done.stderr
    assert "NoWorker: The cluster gave us no worker within 3 s. No row was read." in done.stdout
    assert not list(all_leases(Ledger.of(issuer.settings)))


def test_a_cluster_publishes_what_one_machine_does(
    issuer: Issuer,
    driver: Environment,
    workers: Environment,
    cluster: Cluster,
    root: Path,
    reference: Rows,
    aws_server: str,
) -> None:
    """With Python and package at another path, an executor and a worker's Python killed on the way, rows are the same.

    The job is the installed file, its contracts come from S3.
    """
    s3 = boto3.client("s3", endpoint_url=aws_server, region_name=AWS["AWS_DEFAULT_REGION"],
                      aws_access_key_id="test", aws_secret_access_key="test")  # fmt: skip
    bucket = "reviewed-on-cluster"
    s3.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": AWS["AWS_DEFAULT_REGION"]})
    for name, content in contracts("on_cluster_").items():
        s3.put_object(Bucket=bucket, Key=f"contracts/{name}", Body=content)
    command = [*cluster.conf(driver, workers), job(driver), "--day", DAY, "--contracts", f"s3://{bucket}/contracts/"]
    command += ["--tables", ",".join(TABLES), "--settings", issuer.ends.settings]
    process = driver.start("spark-submit", *command, cwd=root, AWS_ENDPOINT_URL=aws_server, **AWS)
    said = _killed_on_the_way(process, cluster, workers)
    assert process.returncode == 0, said
    assert issuer.rows("on_cluster_", *TABLES) == reference


def _killed_on_the_way(process: subprocess.Popen[str], cluster: Cluster, workers: Environment) -> str:
    """Reads what a run says to its end; once a table is read, kills an executor and another one's Python."""
    said, killed = [], False
    assert process.stdout is not None
    with process:
        for line in process.stdout:
            said.append(line)
            if not killed and line.startswith("{") and json.loads(line)["step"] == "stage":
                executors, daemons = cluster.executors(), spark_cluster.python_daemons(workers)
                assert len(executors) == 2, said
                assert daemons, said
                above = ancestors(daemons[-1])  # whose end would be this one's
                os.kill(next(one for one in executors if one not in above), signal.SIGKILL)
                os.kill(daemons[-1], signal.SIGKILL)
                killed = True
    assert killed, said
    return "".join(said)


@pytest.mark.parametrize("place", ["cluster", "one machine"])
def test_an_archive_on_the_path_is_enough(
    issuer: Issuer,
    driver: Environment,
    bare: Environment,
    built: Built,
    cluster: Cluster,
    root: Path,
    reference: Rows,
    place: str,
) -> None:
    """Neither driver nor workers have the package installed: `--py-files` brings it, and its contracts in it."""
    archive, script = root / "kagemusha.zip", root / "daily_load.py"
    shutil.copy(built.wheel, archive)
    with zipfile.ZipFile(archive) as inside:
        script.write_bytes(inside.read("jobs/daily_load.py"))
    python = {"PYSPARK_PYTHON": str(bare.python)}
    one_executor = [*cluster.conf(bare, bare), "--conf", "spark.cores.max=1"]
    where, variables = (one_executor, {}) if place == "cluster" else (["--master", "local[2]"], python)
    command = [*where, "--py-files", archive, script, "--day", DAY, "--tables=clubs"]
    issuer.warehouse.client.delete_table("community.clubs")
    done = driver.run("spark-submit", *command, "--settings", issuer.ends.settings, cwd=root, **variables)
    assert done.returncode == 0, done.stdout + done.stderr
    assert issuer.rows("", "clubs") == {"clubs": reference["clubs"]}


def test_unfit_workers_are_named(
    issuer: Issuer, driver: Environment, workers: Environment, bare: Environment, cluster: Cluster, root: Path
) -> None:
    """What is wrong with workers is refused before a table is taken, with the worker, the fix and the code."""
    other = driver.laid_out(root / "other", without=("etl", _metadata(driver, "numpy")))
    shutil.copytree(driver.packages / "etl", other.packages / "etl")
    (other.packages / "etl" / "clock.py").write_text("changed = True\n", encoding="utf-8")
    (other.packages / "numpy-9.9.9.dist-info").mkdir()
    (other.packages / "numpy-9.9.9.dist-info" / "METADATA").write_text(
        "Name: numpy\nVersion: 9.9.9\n", encoding="utf-8"
    )
    pythons = {"nowhere": "/nowhere/python", "bare": str(bare.python), "other": str(other.python)}
    words = [f"{name}={python}" for name, python in pythons.items()]
    script = Path(__file__).with_name("cases.py")
    command = [*cluster.conf(driver, workers), script, issuer.ends.settings, *words]
    done = driver.run("spark-submit", *command, cwd=root)
    line = next((line for line in done.stdout.splitlines() if line.startswith("{")), "")
    assert line, done.stdout + done.stderr
    found = json.loads(line)
    assert found["fit"] == {"answer": 2}
    for case in ("nowhere", "nowhere, in a step"):
        assert_told(found[case], "WorkersUnfit", 2, "The workers' Python could not be started.", "PYSPARK_PYTHON")
    assert_told(found["bare"], "WorkersUnfit", 2, "A worker's Python has no module etl.", "Give the workers what the")
    assert_told(found["other"], "WorkersUnfit", 2, "A worker has another kagemusha", str(other.python))
    assert_told(found["no key"], "KeyUnusable", 2, "worker=")
    assert_told(found["no reader"], "SourceUnavailable", 3, "The way to the database is closed", "worker=")
    assert_told(found["no bucket"], "BucketMissing", 2, "worker=")


def test_a_cluster_that_loses_every_worker_is_given_up(
    issuer: Issuer, driver: Environment, workers: Environment, cluster: Cluster, root: Path, reference: Rows
) -> None:
    """Gone as a table is read, and nothing comes again: the run ends with 3 and the reason, and holds nothing.

    The cluster has no worker afterwards, so this is the file's last test.
    """
    settings = root / "abandoned.toml"
    settings.write_text(
        issuer.ends.settings.read_text(encoding="utf-8") + "\n[limits]\nworker_wait_seconds = 20\n", encoding="utf-8"
    )
    command = [*cluster.conf(driver, workers), job(driver), "--day", DAY, "--tables=clubs", "--settings", settings]
    process, said = driver.start("spark-submit", *command, cwd=root), []
    assert process.stdout is not None
    with process:
        for line in process.stdout:
            said.append(line)
            if line.startswith("{") and json.loads(line)["step"] == "stage":
                cluster.stop_workers()
    told = "".join(said)
    assert process.returncode == 3, told
    assert "No worker was left, so the step was given up." in told or "Workers were lost again and again." in told, told
    assert not list(all_leases(Ledger.of(issuer.settings)))
    assert issuer.rows("", "clubs") == {"clubs": reference["clubs"]}


def _metadata(environment: Environment, name: str) -> str:
    return next(environment.packages.glob(f"{name}-*.dist-info")).name


def assert_told(found: dict[str, Any], kind: str, code: int, *texts: str) -> None:
    """Asserts kind, exit code and words of what the driver said."""
    assert (found["kind"], found["code"]) == (kind, code), found
    assert all(text in found["text"] for text in texts), found
