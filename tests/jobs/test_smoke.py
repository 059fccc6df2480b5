"""The first run of an installation: all green on a whole one, and each broken thing named with its fix."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from pyspark.sql import SparkSession

from etl.cloud import google_login
from etl.keys import create_keyring_file
from etl.settings import Settings, load_settings
from etl.upkeep.prepare import prepare
from etl.upkeep.smoke import workers
from etl.upkeep.smoke.checks import Smoked, smoke
from jobs.smoke import main
from masking.errors import KagemushaError
from schemas.contract_file import load_contracts
from scripts.fault_injection.token_service import federated, job_environment, token_service
from scripts.local_stack.local_stack import Endpoints

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def installation(stack: Endpoints, spark: SparkSession) -> Settings:  # noqa: ARG001  its executors
    """Returns a prepared installation, with Spark."""
    settings = load_settings(stack.settings)
    keyring = Path(settings.keyring.ref.removeprefix("file:"))
    if not keyring.exists():
        create_keyring_file(keyring)
    prepare(settings, load_contracts())
    return settings


def changed(settings: Settings, section: str, **values: object) -> Settings:
    """Returns the settings with values of a section changed."""
    part = getattr(settings, section).model_copy(update=values)
    return settings.model_copy(update={section: part})


def failure(smoked: Smoked, name: str) -> KagemushaError:
    """Returns the failure of a check, which the smoke run must have found."""
    (found,) = (one.failure for one in smoked.findings if one.name == name)
    assert found is not None, smoked
    return found


def test_a_whole_installation_is_green(
    installation: Settings, stack: Endpoints, capsys: pytest.CaptureFixture[str]
) -> None:
    """Every check says what is there; the job ends well, and no row was read."""
    assert installation.source.local
    smoked = main(["smoke.py", "--settings", str(stack.settings)])
    assert smoked.exit_code == 0, smoked.reason
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[:2] for line in lines] == [
        ["ok", name] for name in ("python", "keyring", "bucket", "bigquery", "reader", "executors")
    ]
    assert "proven to read only" in lines[4]
    assert "key, bucket, reader joined" in lines[5]


def test_a_missing_bucket_is_named(installation: Settings) -> None:
    """The bucket is named by its own check and by the executors; the reader is tried all the same."""
    smoked = smoke(changed(installation, "stage", bucket="kagemusha-nowhere"))
    error = failure(smoked, "bucket")
    assert (smoked.exit_code, error.exit_code) == (2, 2)
    assert "Create the bucket in [stage].bucket" in str(error)
    assert "On executor" in str(failure(smoked, "executors"))
    assert [one.name for one in smoked.findings if not one.failure] == ["python", "keyring", "bigquery", "reader"]


def test_a_wrong_password_is_named(installation: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """The reader's check says that the login was refused and where the password comes from; it is in no word of it."""
    monkeypatch.setenv("SMOKE_PASSWORD", "not-the-password")
    smoked = smoke(changed(installation, "source", password="env:SMOKE_PASSWORD"))
    error = failure(smoked, "reader")
    assert smoked.exit_code == 2
    assert "Check the user in [source].url and the password" in str(error)
    assert "not-the-password" not in str(error)


def test_the_primarys_address_is_refused(installation: Settings, stack: Endpoints) -> None:
    """An address that leads to the writer is refused, with the endpoint to use instead."""
    port = stack.primary_url.rsplit(":", 1)[1].split("/", maxsplit=1)[0]
    standby = stack.source_url.rsplit(":", 1)[1].split("/", maxsplit=1)[0]
    smoked = smoke(changed(installation, "source", url=installation.source.url.replace(f":{standby}/", f":{port}/")))
    error = failure(smoked, "reader")
    assert type(error).__name__ == "EndpointRefused"
    assert smoked.exit_code == 2
    assert "ETL endpoint" in str(error)


def test_an_expired_token_is_named(installation: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """Google's refusal of the role's credentials is told as a login, for bucket and BigQuery alike."""
    for name in [*os.environ]:
        if name.startswith(("AWS_", "GOOGLE_")):
            monkeypatch.delenv(name)
    with token_service() as service:
        for name, value in job_environment(service).items():
            monkeypatch.setenv(name, value)
        google_login._session.cache_clear()
        service.refuses = True
        smoked = smoke(installation.model_copy(update={"google": federated(service)}))
    google_login._session.cache_clear()
    google_login._shared.cache_clear()
    for name in ("bucket", "bigquery"):
        error = failure(smoked, name)
        assert "Google refused the login." in str(error)
        assert "Check [google] in the settings, the job's role, and the pool's provider and grants." in str(error)
    assert smoked.exit_code == 2


def test_a_service_that_is_silent_may_pass(installation: Settings) -> None:
    """What does not answer is exit 3, and what is wrong besides decides."""
    smoked = smoke(changed(installation, "bigquery", endpoint="http://127.0.0.1:9"))
    assert failure(smoked, "bigquery").exit_code == 3
    assert smoked.exit_code == 3


def test_executors_with_other_versions_are_named(installation: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """A library that differs between driver and executors stops the run before any table does."""
    here = workers.versions()
    monkeypatch.setattr(workers, "versions", lambda: {**here, "pyarrow": "1.0"})
    error = failure(smoke(installation), "executors")
    assert "Executors have other versions than the driver: pyarrow." in str(error)
    assert error.exit_code == 2
