"""What a job takes from S3 and leaves there: its settings, a run's report and evidence."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from moto import mock_aws
from pyspark.sql import SparkSession

from etl.errors import SettingsInvalid
from etl.keys import create_keyring_file
from etl.settings import load_settings
from jobs.archive import ArchiveRefused
from jobs.arguments import settings_file
from jobs.daily_load import main
from scripts.local_stack.local_stack import Endpoints

ROOT = Path(__file__).parents[2]
DAY = "2023-08-30"
ARCHIVE, CODE = "kagemusha-archive-123456789012", "kagemusha-code-123456789012"


@pytest.fixture
def s3(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Yields S3 with a bucket of code and an archive that locks what it takes."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "made-up")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "ap-northeast-1")
    with mock_aws():
        client = boto3.client("s3")
        here = {"LocationConstraint": "ap-northeast-1"}
        client.create_bucket(Bucket=CODE, CreateBucketConfiguration=here)
        client.create_bucket(Bucket=ARCHIVE, CreateBucketConfiguration=here, ObjectLockEnabledForBucket=True)
        yield client


@pytest.fixture(scope="module")
def seeded(stack: Endpoints, spark: SparkSession) -> Endpoints:  # noqa: ARG001  the run's workers
    """Returns a seeded stack, with Spark."""
    keyring = Path(load_settings(stack.settings).keyring.ref.removeprefix("file:"))
    if not keyring.exists():
        create_keyring_file(keyring)
    days = ("--first-day", "2023-08-27", "--last-day", DAY)
    subprocess.run(  # noqa: S603  our own script
        [sys.executable, "scripts/synth.py", "create", "--scale", "300", *days, "--url", stack.primary_url],
        cwd=ROOT,
        check=True,
        capture_output=True,
    )
    return stack


def test_a_run_leaves_its_report_and_evidence(s3: Any, seeded: Endpoints) -> None:
    """Settings come from S3; report and evidence lie below the run's id, and say what was loaded."""
    s3.put_object(Bucket=CODE, Key="settings.toml", Body=seeded.settings.read_bytes())
    arguments = ["--settings", f"s3://{CODE}/settings.toml", "--archive", f"s3://{ARCHIVE}/runs"]
    result = main(["daily_load.py", "--day", DAY, "--tables", "clubs", *arguments])
    assert result.exit_code == 0, result.reason
    kept = {one["Key"] for one in s3.list_objects_v2(Bucket=ARCHIVE)["Contents"]}
    assert kept == {f"runs/{result.run_id}/{name}" for name in ("report.json", "evidence.md")}
    report = json.loads(s3.get_object(Bucket=ARCHIVE, Key=f"runs/{result.run_id}/report.json")["Body"].read())
    assert (report["run_id"], report["exit_code"]) == (result.run_id, 0)
    evidence = s3.get_object(Bucket=ARCHIVE, Key=f"runs/{result.run_id}/evidence.md")["Body"].read().decode()
    assert f"# Evidence of run {result.run_id}" in evidence
    assert "- Package: kagemusha " in evidence
    assert "## How clubs was protected" in evidence


def test_a_missing_archive_is_told(s3: Any, seeded: Endpoints) -> None:
    """The tables are published; the job ends with 2 and says what to check."""
    assert s3
    with pytest.raises(ArchiveRefused) as caught:
        main(
            [
                *("daily_load.py", "--day", DAY, "--tables", "clubs", "--resume", "true"),
                *("--settings", str(seeded.settings), "--archive", "s3://kagemusha-nowhere/runs"),
            ]
        )
    assert caught.value.exit_code == 2
    assert "s3 put_object answered NoSuchBucket." in str(caught.value)
    assert "Check --archive and s3:PutObject of the job's role" in str(caught.value)


def test_missing_settings_are_told(s3: Any) -> None:
    """Settings that are not in S3 are an error of ours, before anything runs."""
    assert s3
    with pytest.raises(SettingsInvalid, match="s3 get_object answered NoSuchKey") as caught:
        settings_file({"settings": f"s3://{CODE}/nowhere.toml"})
    assert "s3:GetObject" in str(caught.value)
    assert caught.value.__context__ is None


def test_settings_beside_the_job_are_a_path() -> None:
    """Without `s3://` the argument is a file; without the argument there is none."""
    assert settings_file({"settings": "settings.toml"}) == Path("settings.toml")
    assert settings_file({}) is None
