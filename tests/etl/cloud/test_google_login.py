"""The login to Google: by the job's AWS role without any key, by a private file, or as the environment says."""

from __future__ import annotations

import json
import os
import pickle
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from google.auth.transport.requests import Request
from pydantic import ValidationError

from etl.cloud import google_login
from etl.cloud.bigquery import Warehouse
from etl.cloud.google_login import GoogleLoginRefused, GoogleLoginUnavailable, google_credentials
from etl.cloud.storage import StagingBucket, StagingLocation
from etl.settings import GoogleSettings, Settings, load_settings
from masking.errors import KagemushaError
from scripts.fault_injection.token_service import (
    ACCOUNT,
    AUDIENCE,
    TokenService,
    federated,
    job_environment,
    token_service,
)
from scripts.local_stack.local_stack import Endpoints
from tests.etl.conftest import ROOT


@pytest.fixture
def service(monkeypatch: pytest.MonkeyPatch) -> Iterator[TokenService]:
    """Yields running services, and an environment in which boto3 finds the role's credentials there, as in a job."""
    for name in [*os.environ]:
        if name.startswith(("AWS_", "GOOGLE_")):
            monkeypatch.delenv(name)
    monkeypatch.setattr(google_login, "_FIRST_PAUSE_SECONDS", 0.001)
    with token_service() as running:
        for name, value in job_environment(running).items():
            monkeypatch.setenv(name, value)
        google_login._session.cache_clear()
        yield running
    google_login._session.cache_clear()
    google_login._shared.cache_clear()


def bearer(login: GoogleSettings) -> str:
    """Returns the token that a request of a client would carry."""
    headers: dict[str, str] = {}
    google_credentials(login).before_request(Request(), "GET", "http://127.0.0.1/", headers)
    return headers["authorization"].removeprefix("Bearer ")


def storage(settings: Settings) -> StagingBucket:
    """Returns Cloud Storage as the settings describe it."""
    return StagingBucket(StagingLocation.of(settings))


def secrets_of(service: TokenService) -> list[str]:
    """Returns everything that no setting, error or pickle may hold."""
    keys = [part for one in service.keys.values() for part in (one.access_key, one.secret_key, one.token)]
    return [*keys, *service.tokens]


def test_threads_that_find_no_credentials_make_them_once(
    service: TokenService, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They come while the first of them is at it."""

    class Slow(google_login.FederatedCredentials):
        """Takes a while to make."""

        def __init__(self, **given: object) -> None:
            time.sleep(0.05)
            super().__init__(**given)

    monkeypatch.setattr(google_login, "FederatedCredentials", Slow)
    with ThreadPoolExecutor(4) as together:
        found = [*together.map(lambda _: google_credentials(federated(service)), range(4))]
    assert all(one is found[0] for one in found)


def test_who_found_a_token_expired_takes_the_one_that_came_meanwhile(
    service: TokenService, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between its look and its turn another thread has renewed it; it asks for no second one."""
    late, looked, renewed = threading.current_thread(), threading.Event(), threading.Event()
    plain = google_login.FederatedCredentials.valid.fget

    def valid(found: google_login.FederatedCredentials) -> bool:
        told = bool(plain(found))
        if threading.current_thread() is late and not looked.is_set():
            looked.set()
            assert renewed.wait(10)
        return told

    monkeypatch.setattr(google_login.FederatedCredentials, "valid", property(valid))

    def renew() -> None:
        assert looked.wait(10)
        bearer(federated(service))
        renewed.set()

    with ThreadPoolExecutor(1) as other:
        done = other.submit(renew)
        assert bearer(federated(service)) == service.tokens[0]
        done.result()
    assert len(service.exchanged) == 1


def test_the_role_signs_and_google_answers_a_token(service: TokenService) -> None:
    """AWS would find the signature good; clients of a process share a token as long as it is good."""
    login = federated(service)
    with ThreadPoolExecutor(4) as together:
        assert {*together.map(bearer, [login] * 8)} == {service.tokens[0]}
    assert len(service.tokens) == len(service.exchanged) == 1
    with pytest.raises(TypeError):
        pickle.dumps(google_credentials(login))


def test_an_expired_token_is_renewed_under_the_role_s_present_credentials(service: TokenService) -> None:
    """Each exchange is signed by credentials that boto3 has just renewed."""
    service.lifetime = 1  # google-auth renews a token minutes before its end
    login = federated(service)
    assert [bearer(login) for _ in range(3)] == service.tokens
    assert len(set(service.exchanged)) == 3


def test_a_service_account_can_be_acted_as(service: TokenService) -> None:
    """The federated token is exchanged once more, for one of the service account."""
    credentials = google_credentials(federated(service, service_account=ACCOUNT))
    credentials.refresh(Request())
    assert credentials.token == service.tokens[1]


def test_workers_log_in_by_the_setting_that_travels(service: TokenService, stack: Endpoints) -> None:
    """A target that has been used pickles without a secret, and another process gets its own token by it."""
    target = StagingLocation.of(_settings(stack, federated(service)))
    StagingBucket(target).check()
    travels = pickle.dumps(target)
    assert not [one for one in secrets_of(service) if one.encode() in travels or one in repr(target)]
    code = (
        "import pickle, sys; from etl.cloud.storage.bucket import StagingBucket; "
        "StagingBucket(pickle.loads(bytes.fromhex(sys.argv[1]))).check()"
    )
    environment = {**os.environ, **job_environment(service), "PYTHONPATH": str(ROOT)}
    subprocess.run([sys.executable, "-c", code, travels.hex()], check=True, env=environment)  # noqa: S603  ours
    assert len(service.exchanged) == 2


def test_a_busy_token_service_is_asked_again(service: TokenService) -> None:
    """A few 503 pass unseen; more of them are an error that tells to run again."""
    service.busy = 3
    assert bearer(federated(service)) == service.tokens[0]
    google_login._shared.cache_clear()
    service.busy = 1000
    error = _failure(service, storage)
    assert type(error) is GoogleLoginUnavailable
    assert error.exit_code == 3


@pytest.mark.parametrize("client", [storage, Warehouse.of], ids=["storage", "BigQuery"])
def test_a_refused_login_says_so_without_secrets(
    service: TokenService, client: Callable[[Settings], StagingBucket | Warehouse]
) -> None:
    """The token service's own words, which may quote the signed request, are not repeated."""
    service.refuses = True
    error = _failure(service, client)
    assert type(error) is GoogleLoginRefused
    assert error.exit_code == 2
    assert "Google refused the login." in str(error)
    assert not [one for one in [*secrets_of(service), "Signature", "ASIA"] if one in str(error)]
    assert error.__context__ is None


def test_a_job_without_a_role_is_told_so(service: TokenService, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without AWS credentials nothing is sent to Google."""
    monkeypatch.delenv("AWS_CONTAINER_CREDENTIALS_FULL_URI")
    error = _failure(service, storage)
    assert type(error) is GoogleLoginRefused
    assert not service.exchanged


@pytest.mark.parametrize(
    ("mode", "content", "message"),
    [(0o640, None, "open to others (mode 0640)"), (0o600, "{}", "malformed"), (0o600, "", "malformed")],
)
def test_a_key_file_must_be_private_and_whole(tmp_path: Path, mode: int, content: str | None, message: str) -> None:
    """A service account's file that others may read, or that is none, is refused without quoting it."""
    login = _key_file(tmp_path / "key.json", mode, content)
    with pytest.raises(GoogleLoginRefused) as caught:
        google_credentials(login)
    assert message in str(caught.value)
    assert "PRIVATE" not in str(caught.value)
    assert caught.value.__context__ is None


def test_a_private_key_file_is_used(tmp_path: Path) -> None:
    """A service account's file of mode 0600 logs in as that account."""
    found: Any = google_credentials(_key_file(tmp_path / "key.json", 0o600, None))
    assert found.service_account_email == ACCOUNT


def test_no_default_credentials_is_an_error_of_ours(service: TokenService, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the environment names a file that is missing, the run is refused, and not by a foreign error."""
    assert service.url
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", "/nonexistent/key.json")
    with pytest.raises(GoogleLoginRefused, match="Google refused the login") as caught:
        google_credentials(GoogleSettings())
    assert caught.value.__context__ is None


@pytest.mark.parametrize(
    "wrong",
    [
        {"login": "workload_identity"},
        {"login": "service_account_file"},
        {"login": "workload_identity", "audience": AUDIENCE, "token_url": "http://sts.example.com/v1/token"},
        {"private_key": "-----BEGIN"},
    ],
)
def test_settings_of_a_login_are_complete_and_private(wrong: dict[str, str]) -> None:
    """What a login needs must be there, tokens travel encrypted, and there is no place for a key."""
    with pytest.raises(ValidationError):
        GoogleSettings.model_validate(wrong)


def _failure(service: TokenService, client: Callable[[Settings], StagingBucket | Warehouse]) -> KagemushaError:
    settings = Settings.model_validate(
        {
            "source": {"url": "postgresql://reader@127.0.0.1/issuer"},
            "stage": {"bucket": "kagemusha-stage", "endpoint": service.url},
            "bigquery": {"project": "local-project", "endpoint": service.url},
            "keyring": {"ref": "file:none"},
            "google": federated(service),
        }
    )
    with pytest.raises(KagemushaError) as caught:
        client(settings).check()
    return caught.value


def _settings(stack: Endpoints, login: GoogleSettings) -> Settings:
    return load_settings(stack.settings).model_copy(update={"google": login})


def _key_file(path: Path, mode: int, content: str | None) -> GoogleSettings:
    if content is None:
        key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        pem = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        uri = "https://oauth2.googleapis.com/token"
        content = json.dumps(
            {"type": "service_account", "client_email": ACCOUNT, "token_uri": uri, "private_key": pem.decode()}
        )
    path.write_text(content, encoding="utf-8")
    path.chmod(mode)
    return GoogleSettings(login="service_account_file", service_account_file=path)
