"""Where requests go is what the settings say: no variable of the environment leads them, and our tokens, astray."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from etl.cloud.bigquery import Warehouse
from etl.cloud.storage import StagingBucket, StagingLocation
from etl.settings import BigQuerySettings

_NOBODY = "http://127.0.0.1:9"


@pytest.fixture(autouse=True)
def led_astray(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Sets what Google's clients take an endpoint from, and a made-up person's login."""
    for name in ("STORAGE_EMULATOR_HOST", "API_ENDPOINT_OVERRIDE", "BIGQUERY_EMULATOR_HOST"):
        monkeypatch.setenv(name, _NOBODY)
    login = tmp_path / "login.json"
    person = {"type": "authorized_user", "client_id": "made", "client_secret": "up", "refresh_token": "made-up"}
    login.write_text(json.dumps(person), encoding="utf-8")
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(login))


@pytest.mark.parametrize(
    ("endpoint", "goes_to"), [(None, "https://storage.googleapis.com"), ("http://127.0.0.1:10", "http://127.0.0.1:10")]
)
def test_staged_files_go_where_the_settings_say(endpoint: str | None, goes_to: str) -> None:
    """To Google, or to the server that the settings name."""
    bucket = StagingBucket(StagingLocation("a-bucket", "a-prefix", endpoint))
    assert bucket._bucket.client.api_endpoint == goes_to


@pytest.mark.parametrize(
    ("endpoint", "goes_to"), [(None, "https://bigquery.googleapis.com"), ("http://127.0.0.1:10", "http://127.0.0.1:10")]
)
def test_bigquery_is_where_the_settings_say(endpoint: str | None, goes_to: str) -> None:
    """At Google, or at the server that the settings name."""
    client = Warehouse(BigQuerySettings(project="p", endpoint=endpoint)).client
    asked = client._connection.API_BASE_URL
    assert asked == goes_to
