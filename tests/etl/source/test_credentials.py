"""Passwords are read where the settings say, by each process itself, and shown nowhere."""

from __future__ import annotations

import json
import pickle
import socket
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import boto3
import pytest
from adbc_driver_postgresql import dbapi

from etl.errors import SourceUnavailable
from etl.settings import SourceSettings
from etl.source import hold_snapshot
from etl.source.credentials import CredentialsRefused, login, renew
from etl.source.endpoint import Endpoint
from etl.source.postgres.connect import arrow_connection, control_connection
from masking.errors import KagemushaError
from scripts.local_stack.passwords import read as read_passwords
from scripts.local_stack.postgres import READER, STANDBY
from tests.etl.source.cluster import Cluster

HOST = "etl.cluster-custom-abc123.ap-northeast-1.rds.amazonaws.com"
SECRET = "hunter2-hunter2"


@pytest.fixture(autouse=True)
def _fresh_process() -> None:
    """Forgets what an earlier test's process would remember."""
    renew("secretsmanager:")


def secret(name: str, text: str) -> str:
    """Stores a secret in Tokyo and returns its ARN."""
    manager = boto3.client("secretsmanager", region_name="ap-northeast-1")
    return str(manager.create_secret(Name=name, SecretString=text)["ARN"])


@contextmanager
def asking_server() -> Iterator[tuple[int, list[str]]]:
    """Listens as a PostgreSQL server that asks for a password in clear, notes it, and refuses it."""
    heard: list[str] = []

    def serve() -> None:
        while True:
            try:
                client, _ = listener.accept()
            except OSError:
                return  # it was closed
            with client:
                _startup(client)
                client.sendall(b"R" + struct.pack("!ii", 8, 3))
                heard.append(_received(client, struct.unpack("!i", _received(client, 5)[1:])[0] - 4)[:-1].decode())
                error = b"SFATAL\0C28P01\0Mpassword authentication failed for user\0\0"
                client.sendall(b"E" + struct.pack("!i", len(error) + 4) + error)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = threading.Thread(target=serve, daemon=True)
        server.start()
        yield listener.getsockname()[1], heard
        listener.shutdown(socket.SHUT_RDWR)
    server.join()


def _startup(client: socket.socket) -> None:
    while True:
        (length,) = struct.unpack("!i", _received(client, 4))
        (code,) = struct.unpack("!i", _received(client, length - 4)[:4])
        if code >> 16 != 1234:  # neither TLS nor GSSAPI is asked for
            return
        client.sendall(b"N")


def _received(client: socket.socket, size: int) -> bytes:
    found = b""
    while len(found) < size:
        found += client.recv(size - len(found)) or pytest.fail("the client hung up")
    return found


@pytest.mark.usefixtures("aws")
def test_secrets_are_read_by_arn_or_name_where_they_lie() -> None:
    """An ARN names its own region; a secret may be RDS's JSON or nothing but the password."""
    arn = secret("issuer/json", json.dumps({"username": "etl_clone", "password": SECRET}))
    plain = secret("issuer/plain", SECRET)
    found = login(f"secretsmanager:{arn}", "etl", HOST, 5432)
    assert (found.user, found.password) == ("etl", SECRET)
    assert login(f"secretsmanager:{arn}", "", HOST, 5432).user == "etl_clone"
    assert login(f"secretsmanager:{plain}", "etl", HOST, 5432).password == SECRET
    with pytest.raises(CredentialsRefused, match="ResourceNotFoundException") as missing:
        login("secretsmanager:issuer/json", "etl", HOST, 5432)
    assert missing.value.exit_code == 2
    assert missing.value.__context__ is None


@pytest.mark.stack
@pytest.mark.usefixtures("aws")
def test_a_rotated_secret_is_read_anew_once(cluster: Cluster) -> None:
    """After a rotation the remembered password is refused, the new one is read, and the run goes on."""
    password = read_passwords(cluster.passfile)[READER]
    arn = secret("issuer/rotated", json.dumps({"username": READER, "password": password}))
    url = cluster.source().url.partition("?")[0].replace(f"{READER}@", "")
    source = cluster.source(url=url, password=f"secretsmanager:{arn}")
    manager = boto3.client("secretsmanager", region_name="ap-northeast-1")
    with hold_snapshot(source) as held:
        try:
            cluster.change_password(SECRET)
            refusal = pytest.raises(SourceUnavailable, match="refuses the login that it took")
            with refusal as mid_run, control_connection(held.snapshot.endpoint):
                raise AssertionError
            assert mid_run.value.exit_code == 3
            with pytest.raises(CredentialsRefused), control_connection(Endpoint.of(source)):
                raise AssertionError
            login(f"secretsmanager:{arn}", "", HOST, 5432)  # remembers the old one
            manager.put_secret_value(SecretId=arn, SecretString=json.dumps({"username": READER, "password": SECRET}))
            for connect in (control_connection, arrow_connection):
                with connect(held.snapshot.endpoint):
                    pass
        finally:
            cluster.change_password(password)


@pytest.mark.usefixtures("aws")
@pytest.mark.parametrize("connect", [control_connection, arrow_connection])
def test_each_connection_gets_a_token_of_its_own(connect: Callable[[Endpoint], object]) -> None:
    """`rds-iam` signs a token of 15 minutes for host, port and user; both drivers hand it over unchanged."""
    with asking_server() as (port, heard):
        url = f"postgresql://etl@127.0.0.1:{port}/issuer"
        endpoint = Endpoint.of(SourceSettings(url=url, password="rds-iam", local=True, connect_seconds=5))
        for _ in range(2):
            with pytest.raises(CredentialsRefused) as refused:
                connect(endpoint).__enter__()  # type: ignore[attr-defined]
    tokens = [urlsplit(f"https://{token}") for token in heard]
    assert len(tokens) == 2
    for token in tokens:
        assert token.netloc == f"127.0.0.1:{port}"
        fields = parse_qs(token.query)
        assert (fields["Action"], fields["DBUser"], fields["X-Amz-Expires"]) == (["connect"], ["etl"], ["900"])
    assert "Signature" not in str(refused.value)


@pytest.mark.usefixtures("aws")
def test_a_token_is_signed_for_the_region_of_the_host() -> None:
    """The host's own name says the region, whatever the environment's default is."""
    token = login("rds-iam", "etl", HOST, 5432).password or ""
    assert token.startswith(f"{HOST}:5432/?")
    assert "%2Fap-northeast-1%2Frds-db%2F" in token


@pytest.mark.usefixtures("aws")
def test_no_credentials_of_aws_are_said_so(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without credentials of AWS no token can be signed: a person must act, and no key is asked about."""
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    monkeypatch.setattr(boto3, "DEFAULT_SESSION", None)  # it remembers them
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    with pytest.raises(CredentialsRefused, match="answered NoCredentialsError") as refused:
        login("rds-iam", "etl", HOST, 5432)
    assert refused.value.exit_code == 2


def test_what_travels_and_what_is_shown_holds_no_password(monkeypatch: pytest.MonkeyPatch) -> None:
    """The endpoint that workers get, its repr, and a login's repr name the place of the password only."""
    monkeypatch.setenv("ETL_PASSWORD", SECRET)
    endpoint = Endpoint.of(SourceSettings(url=f"postgresql://etl@{HOST}/issuer", password="env:ETL_PASSWORD"), "run-1")
    assert SECRET in endpoint.conninfo()
    assert "sslmode=verify-full" in endpoint.conninfo()
    assert SECRET not in repr(endpoint)
    assert SECRET.encode() not in pickle.dumps(endpoint)
    assert SECRET not in repr(login("env:ETL_PASSWORD", "etl", HOST, 5432))


@pytest.mark.stack
def test_a_password_is_in_no_command_line_session_or_log(cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    """While a run is connected, neither a process's arguments, nor the server's list and log, hold the password."""
    password = read_passwords(cluster.passfile)[READER]
    monkeypatch.setenv("ETL_PASSWORD", password)
    source = cluster.source(url=cluster.source().url.partition("?")[0], password="env:ETL_PASSWORD")
    with hold_snapshot(source) as held, arrow_connection(held.snapshot.endpoint) as rows:
        assert isinstance(rows, dbapi.Connection)
        for entry in Path("/proc").glob("[0-9]*/cmdline"):
            try:
                arguments = entry.read_bytes()
            except OSError:
                continue  # it has just ended
            assert password.encode() not in arguments
        assert cluster.ask(STANDBY, f"SELECT count(*) FROM pg_stat_activity a WHERE a::text LIKE '%{password}%'") == 1
    assert all(password not in log.read_text(encoding="utf-8") for log in cluster.logs)


@pytest.mark.parametrize("reference", ["env:KAGEMUSHA_NO_SUCH", "file:/nowhere/password"])
def test_an_empty_place_is_refused(reference: str) -> None:
    """A reference that leads to nothing is a person's to mend, also in the middle of a run."""
    with pytest.raises(KagemushaError, match="empty or missing") as refused:
        login(reference, "etl", HOST, 5432)
    assert refused.value.exit_code == 2
