"""A package goes to a place that its content names, and is never replaced there."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from moto import mock_aws

from scripts.deploy.package import ARCHIVE, BILL, MANIFEST, SCRIPTS, SUMS, VARIABLE, main

CODE, DIGEST = "kagemusha-code-123456789012", "ab" * 32


@pytest.fixture
def s3(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Yields S3 with the bucket of code."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "made-up")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "ap-northeast-1")
    with mock_aws():
        client = boto3.client("s3")
        client.create_bucket(Bucket=CODE, CreateBucketConfiguration={"LocationConstraint": "ap-northeast-1"})
        yield client


@pytest.fixture
def package(tmp_path: Path) -> Path:
    """Returns a folder with the files of a package."""
    for name in (ARCHIVE, BILL, SUMS, VARIABLE, *SCRIPTS):
        (tmp_path / name).write_text(name, encoding="utf-8")
    (tmp_path / MANIFEST).write_text(json.dumps({"digest": DIGEST}), encoding="utf-8")
    return tmp_path


def keys(s3: Any) -> dict[str, str]:
    """Returns the bucket's keys, each with its content."""
    found = s3.list_objects_v2(Bucket=CODE).get("Contents", [])
    return {one["Key"]: s3.get_object(Bucket=CODE, Key=one["Key"])["Body"].read().decode() for one in found}


def test_a_package_lies_below_its_digest(s3: Any, package: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Every file is there, the variable to go back by too; the manifest comes last, when the rest is whole."""
    main(["--into", str(package), "upload", "--bucket", CODE])
    there = keys(s3)
    assert set(there) == {f"packages/{DIGEST}/{path.name}" for path in package.iterdir()}
    assert there[f"packages/{DIGEST}/{VARIABLE}"] == VARIABLE
    assert capsys.readouterr().out.splitlines()[-1] == f"packages/{DIGEST}/{MANIFEST}: uploaded"


def test_a_package_is_never_replaced(s3: Any, package: Path) -> None:
    """What is there stays as it is; what is missing, after an upload that broke off, is added."""
    main(["--into", str(package), "upload", "--bucket", CODE])
    s3.delete_object(Bucket=CODE, Key=f"packages/{DIGEST}/{MANIFEST}")
    (package / "daily_load.py").write_text("another", encoding="utf-8")
    main(["--into", str(package), "upload", "--bucket", CODE])
    there = keys(s3)
    assert there[f"packages/{DIGEST}/daily_load.py"] == "daily_load.py"
    assert f"packages/{DIGEST}/{MANIFEST}" in there
