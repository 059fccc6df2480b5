"""What cannot work is refused at once: with what to do, the right exit code, and nothing changed anywhere."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
import pytest

from etl.keys import create_keyring_file
from scripts.local_stack.passwords import read as read_passwords
from scripts.local_stack.processes import wait_until
from tests.etl.changed_settings import settings_file
from tests.etl.conftest import DAY, Issuer
from tests.etl.run.refusing import exit_code, refusal

pytestmark = pytest.mark.stack
TABLE = "clubs"  # the smallest one


@pytest.fixture(scope="module", autouse=True)
def published(issuer: Issuer) -> None:
    """Publishes one masked table first, so that there is something that a refusal could harm."""
    issuer.load(DAY, TABLE, "admin_users")


def closed_port() -> int:
    """Returns a loopback port on which nobody listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def primary(issuer: Issuer) -> str:
    """Returns the primary's address for the ETL user: the standby's, but for the port."""
    ports = [
        psycopg.conninfo.conninfo_to_dict(url)["port"] for url in (issuer.ends.source_url, issuer.ends.primary_url)
    ]
    return issuer.ends.source_url.replace(f":{ports[0]}/", f":{ports[1]}/")


@contextmanager
def asked(url: str) -> Iterator[Callable[[str], Any]]:
    """Opens a session for questions whose answer is one value."""
    with psycopg.connect(url, autocommit=True) as connection:
        yield lambda sql: (connection.execute(sql.encode()).fetchone() or (None,))[0]


SCANS = "SELECT coalesce(sum(seq_scan + coalesce(idx_scan, 0)), 0)::int8 FROM pg_stat_user_tables"
SESSIONS = "SELECT count(*) FROM pg_stat_activity WHERE application_name LIKE 'kagemusha%'"


def test_the_primary_is_refused_before_a_row_is_read(
    issuer: Issuer, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """On the writer, the run ends with exit code 2, and the server has counted no scan of any table."""
    url = primary(issuer)
    with asked(issuer.ends.primary_url) as ask:
        assert wait_until(lambda: ask(SESSIONS) == 0, 10)
        before = ask(SCANS)
        error = refusal(issuer, str(DAY), settings=settings_file(issuer.ends, tmp_path, source__url=f'"{url}"'))
        assert wait_until(lambda: ask(SESSIONS) == 0, 10), "sessions report their counters when they end"
        assert ask(SCANS) == before
        with psycopg.connect(url) as reader:
            reader.execute("SELECT count(*) FROM issuing.cards")
        assert wait_until(lambda: ask(SCANS) > before, 10), "the counter counts nothing"
    assert type(error).__name__ == "EndpointRefused"
    assert "Connected to the writer (pg_is_in_recovery() is false). No row was read." in str(error)
    assert "Use the cluster's custom ETL endpoint." in str(error)
    assert error.where["instance"] == "primary"
    assert exit_code(error, capsys) == 2


def test_a_reader_that_is_not_allowed_is_refused(
    issuer: Issuer, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """An instance outside the allowed list is refused, and named."""
    error = refusal(
        issuer, str(DAY), settings=settings_file(issuer.ends, tmp_path, source__allowed_instances='["another"]')
    )
    assert "not among the 1 allowed ones. No row was read." in str(error)
    assert error.where["instance"] == "standby"
    assert exit_code(error, capsys) == 2


@pytest.mark.parametrize(
    ("changes", "kind", "code", "message", "advice"),
    [
        (
            {"source__password": '"file:{wrong}"'},
            "CredentialsRefused", 2, "The database refused the login. No row was read.", "user=etl_reader",
        ),
        (
            {"source__password": '"env:KAGEMUSHA_NO_SUCH_VARIABLE"'},
            "CredentialsRefused", 2, "The password's env source is empty or missing. No row was read.", "passfile",
        ),
        (
            {"source__url": '"postgresql://etl_reader@127.0.0.1:{closed}/issuer"', "source__connect_seconds": "1"},
            "SourceUnavailable", 3, "The database did not answer within 1 s. No row was read.", "Run again",
        ),
        (
            {"stage__bucket": '"no-such-bucket"'},
            "BucketMissing", 2, "missing or forbidden. The table was not published", "Create the bucket",
        ),
        (
            {"stage__endpoint": '"http://127.0.0.1:{closed}"'},
            "StorageUnavailable", 3, "Cloud Storage did not list the staging bucket.", "Run again",
        ),
        (
            {"bigquery__endpoint": '"http://127.0.0.1:{closed}"'},
            "PublishFailed", 3, "BigQuery did not answer", "Run again",
        ),
        (
            {"keyring__ref": '"file:{missing}"'},
            "KeyUnusable", 2, "cannot be read: No such file or directory. No key was loaded.", "kagemusha keys init",
        ),
        (
            {"keyring__ref": '"file:{readable}"'},
            "KeyUnusable", 2, "is open to others (mode 0640). No key was loaded.", "chmod 600",
        ),
        (
            {"keyring__ref": '"file:{broken}"'},
            "KeyUnusable", 2, "No key was loaded", "",
        ),
    ],
    ids=["wrong password", "no password", "stopped server", "missing bucket", "storage down", "BigQuery down",
         "keyring missing", "keyring group-readable", "keyring malformed"],
)  # fmt: skip
def test_an_installation_that_cannot_work_is_told_so(
    issuer: Issuer,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    changes: dict[str, str],
    kind: str,
    code: int,
    message: str,
    advice: str,
) -> None:
    """Each fault has its own error, advice and exit code: 3 where another try may pass, 2 where a person must act."""
    secret = "not-the-password-7731"
    (tmp_path / "wrong").write_text(secret, encoding="utf-8")
    (tmp_path / "broken").write_text('{"versions": [{"root": "not-a-key-7731"}]}', encoding="utf-8")
    (tmp_path / "broken").chmod(0o600)
    create_keyring_file(tmp_path / "readable")
    (tmp_path / "readable").chmod(0o640)
    places = {name: str(tmp_path / name) for name in ("wrong", "missing", "readable", "broken")}
    made = {name: value.format(**places, closed=closed_port()) for name, value in changes.items()}
    error = refusal(issuer, str(DAY), TABLE, settings=settings_file(issuer.ends, tmp_path, **made))
    assert type(error).__name__ == kind
    assert message in str(error)
    assert advice in str(error)
    assert "7731" not in str(error)
    assert exit_code(error, capsys) == code


def test_another_key_under_a_known_version_is_refused(
    issuer: Issuer, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A keyring whose version 1 is not the key that earlier runs used is refused: its tokens would join nothing."""
    assert issuer.warehouse.find_table("ops.table_loads") is not None
    create_keyring_file(tmp_path / "another.json")
    error = refusal(
        issuer,
        str(DAY),
        TABLE,
        settings=settings_file(issuer.ends, tmp_path, keyring__ref=f'"file:{tmp_path / "another.json"}"'),
    )
    assert "Key version 1 is not the key that earlier runs used under this version. No row was read." in str(error)
    assert "Restore the keyring" in str(error)
    assert exit_code(error, capsys) == 2


def test_passwords_stay_out_of_messages(issuer: Issuer, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A refused login names host and user; the right password, tried at the wrong database, is not repeated."""
    password = read_passwords(issuer.ends.root / "secrets" / "pgpass")["etl_reader"]
    url = issuer.ends.source_url.replace("/issuer?", "/nowhere?")
    error = refusal(issuer, str(DAY), TABLE, settings=settings_file(issuer.ends, tmp_path, source__url=f'"{url}"'))
    assert type(error).__name__ == "CredentialsRefused"
    assert "user=etl_reader" in str(error)
    assert exit_code(error, capsys) == 2
    assert password not in str(error)
