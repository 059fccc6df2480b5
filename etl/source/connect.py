"""Connections to the ETL endpoint: psycopg for control, ADBC for rows; passwords stay in this process's memory."""

from __future__ import annotations

import json
import os
import random
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Final
from urllib.parse import parse_qsl, quote, unquote, urlencode, urlsplit

import psycopg
from adbc_driver_postgresql import dbapi

from etl.aws import call
from etl.errors import NO_ROW_READ, CredentialsRefused, SettingsInvalid, SourceUnavailable
from etl.settings import Source

_REFUSED: Final = re.compile(
    r"password authentication failed|no password supplied|no pg_hba\.conf entry|not permitted to log in"
    r'|(role|database|user) "[^"]*" does not exist|permission denied for database'
)
_UNVERIFIED: Final = re.compile(
    r"root certificate file|certificate verify failed|server certificate for|SSL is not enabled|does not support SSL"
)
_FIRST_PAUSE_SECONDS: Final = 0.2


@dataclass(frozen=True)
class Endpoint:
    """How to reach one instance; it travels to workers, and holds no password.

    Attributes:
        host: the name that TLS verifies.
        address: the instance's address, once the driver has pinned it; every later connection goes there.
    """

    user: str
    host: str
    port: int
    database: str
    options: tuple[tuple[str, str], ...]
    password: str | None
    local: bool
    connect_seconds: float
    statement_seconds: int
    address: str | None = None

    @classmethod
    def of(cls, source: Source) -> Endpoint:
        """Gives the endpoint that the settings describe."""
        parts = urlsplit(source.url)
        return cls(
            user=unquote(parts.username or ""),
            host=parts.hostname or "",
            port=parts.port or 5432,
            database=unquote(parts.path.strip("/")),
            options=tuple(parse_qsl(parts.query)),
            password=source.password,
            local=source.local,
            connect_seconds=source.connect_seconds,
            statement_seconds=source.statement_seconds,
        )

    @property
    def place(self) -> dict[str, object]:
        """What errors say about where it is."""
        return {"host": self.host, "port": self.port, "database": self.database}

    def conninfo(self) -> str:
        """Gives the libpq URL, with the password where one is set. It must not be printed, logged or kept."""
        options = {
            **dict(self.options),
            "connect_timeout": "10",
            "application_name": "kagemusha",
            "client_encoding": "UTF8",
            "sslmode": "prefer" if self.local else "verify-full",
        }
        if self.address:
            options["hostaddr"] = self.address
        secret = _password(self.password)
        login = quote(self.user, safe="") + (f":{quote(secret, safe='')}" if secret else "")
        return f"postgresql://{login}@{self.host}:{self.port}/{quote(self.database, safe='')}?{urlencode(options)}"


def _password(reference: str | None) -> str | None:
    if reference is None:
        return None
    kind, _, name = reference.partition(":")
    if kind == "secretsmanager":
        found = _secret(name)
    elif kind == "env":
        found = os.environ.get(name)
    else:
        path = Path(name)
        found = path.read_text(encoding="utf-8").strip() if path.is_file() else None
    if not found:
        raise CredentialsRefused(f"The password's {kind} source is empty or missing.", not_done=NO_ROW_READ)
    return found


@lru_cache(maxsize=1)
def _secret(name: str) -> str | None:
    """Gives the password in a Secrets Manager secret: its `password` field, as RDS writes it, or all of its text."""
    text = str(call("secretsmanager", "get_secret_value", SecretId=name).get("SecretString") or "")
    with suppress(ValueError):
        fields = json.loads(text)
        if isinstance(fields, dict):
            return str(fields.get("password") or "")
    return text


_SESSION: Final = (
    "SET statement_timeout = {timeout}",
    "SET idle_in_transaction_session_timeout = 0",
    "SET timezone = 'UTC'",
    "SET default_transaction_read_only = on",
    "SET jit = off",
    "SET row_security = off",  # a policy on a table makes its queries fail instead of hiding rows from them
)


def _session_statements(endpoint: Endpoint) -> list[str]:
    return [statement.format(timeout=endpoint.statement_seconds * 1000) for statement in _SESSION]


@contextmanager
def control_connection(endpoint: Endpoint) -> Iterator[psycopg.Connection[tuple[object, ...]]]:
    """Opens a read-only session for metadata and aggregates; autocommit, closed at the end.

    Raises:
        CredentialsRefused: the server refused the login.
        SourceUnavailable: nothing answered within `connect_seconds`.
    """
    connection = _patiently(endpoint, lambda: psycopg.connect(endpoint.conninfo(), autocommit=True))
    try:
        for statement in _session_statements(endpoint):
            connection.execute(statement.encode())
        yield connection
    finally:
        connection.close()


@contextmanager
def arrow_connection(endpoint: Endpoint) -> Iterator[dbapi.Connection]:
    """Opens a read-only session that hands rows over as Arrow.

    Raises:
        CredentialsRefused: the server refused the login.
        SourceUnavailable: nothing answered within `connect_seconds`.
    """
    connection = _patiently(endpoint, lambda: dbapi.connect(endpoint.conninfo(), autocommit=True))
    try:
        with connection.cursor() as cursor:
            for statement in _session_statements(endpoint):
                cursor.execute(statement)
        yield connection
    finally:
        connection.close()


def _patiently(endpoint: Endpoint, connect):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202  two drivers, two types
    deadline = time.monotonic() + endpoint.connect_seconds
    pause = _FIRST_PAUSE_SECONDS
    while True:
        try:
            return connect()
        except (psycopg.OperationalError, dbapi.Error) as error:
            # The server's text decides only which of our own sentences is said; it is not repeated.
            refused, unverified = bool(_REFUSED.search(str(error))), bool(_UNVERIFIED.search(str(error)))
        if refused:
            raise CredentialsRefused(
                "The database refused the login.",
                not_done=NO_ROW_READ,
                where={**endpoint.place, "user": endpoint.user},
            )
        if unverified:
            raise SettingsInvalid(
                "The database's TLS certificate could not be verified.",
                not_done=NO_ROW_READ,
                advice="Name the CA bundle in [source].url: ?sslrootcert=/path/to/global-bundle.pem.",
                where=endpoint.place,
            )
        if time.monotonic() + pause > deadline:
            raise SourceUnavailable(
                f"The database did not answer within {endpoint.connect_seconds:g} s.",
                not_done=NO_ROW_READ,
                where=endpoint.place,
            )
        time.sleep(pause * random.uniform(0.5, 1.0))  # noqa: S311  jitter, no secret
        pause = min(pause * 2, 5.0)
