"""Staged files go when their days are over: by the bucket's own rule where it has one, else by the next run."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from google.cloud.storage import Client

from etl.clock import now
from etl.cloud.storage import StagingBucket, StagingLocation
from etl.settings import Settings
from tests.etl.conftest import DAY, Issuer, Republish

pytestmark = [pytest.mark.stack, pytest.mark.usefixtures("spark")]
OLD = "kagemusha/long-ago/clubs/all/slice-00000-0.parquet"


@pytest.fixture
def clubs(republished: Republish) -> Path:
    """Returns the folder of one small contract."""
    return republished("kept", "clubs")


def own_bucket(issuer: Issuer, name: str) -> tuple[Settings, StagingBucket]:
    """Returns settings with a staging bucket of their own, and the bucket, in which an older run left a file."""
    settings = issuer.settings
    stage = settings.stage.model_copy(update={"bucket": name})
    settings = settings.model_copy(update={"stage": stage})
    bucket = StagingBucket(StagingLocation.of(settings))
    bucket._bucket.create()
    bucket.write(OLD, b"tokens", "application/octet-stream")
    return settings, bucket


def listings(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Returns a list that grows with the prefix of each listing."""
    told: list[str] = []
    listed = Client.list_blobs

    def tell(client: Client, *given: Any, **named: Any) -> object:
        told.append(str(named.get("prefix")))
        return listed(client, *given, **named)

    monkeypatch.setattr(Client, "list_blobs", tell)
    return told


def test_a_bucket_that_expires_files_is_not_listed(
    issuer: Issuer, clubs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A run lists its own files alone: what others left costs it nothing, and stays for the bucket to delete."""
    settings, bucket = own_bucket(issuer, "expiring")
    bucket.expire_after(4)
    told = listings(monkeypatch)
    issuer.load(DAY, "clubs", contracts=clubs, settings=settings)
    assert "kagemusha/" not in told
    assert bucket.read(OLD) == b"tokens"


def test_without_such_a_rule_the_next_run_deletes_them(
    issuer: Issuer, clubs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So it does where the rule keeps files longer than the settings say; a record of an older run stays."""
    settings, bucket = own_bucket(issuer, "keeping")
    bucket.expire_after(9)
    record = "kagemusha/long-ago/report.json"
    bucket.write(record, b"{}", "application/json")
    monkeypatch.setattr("etl.run.daily.now", lambda: now() + timedelta(days=4))
    told = listings(monkeypatch)
    issuer.load(DAY, "clubs", contracts=clubs, settings=settings)
    assert "kagemusha/" in told
    assert [one.name for one in bucket.stored("kagemusha/long-ago/")] == [record]
