"""Connections to PostgreSQL: one for questions, one that hands rows over as Arrow."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from typing import Final, TypeAlias, TypeVar

import psycopg
from adbc_driver_postgresql import dbapi
from psycopg.pq import Conninfo

from etl.source.endpoint import Endpoint, Failure, patiently
from etl.source.postgres.failures import query_failure

Connection: TypeAlias = psycopg.Connection[tuple[object, ...]]
Answer = TypeVar("Answer")

SERVER_SQL: Final = """
SELECT s.system_identifier, c.timeline_id
FROM pg_catalog.pg_control_system() AS s CROSS JOIN pg_catalog.pg_control_checkpoint() AS c
"""

_REFUSED: Final = re.compile(
    r"password authentication failed|no password supplied|no pg_hba\.conf entry|not permitted to log in"
    r'|PAM authentication failed|(role|database|user) "[^"]*" does not exist|permission denied for database'
)
_UNVERIFIED: Final = re.compile(
    r"root certificate file|certificate verify failed|server certificate for|SSL is not enabled|does not support SSL"
)
_FOREIGN: Final = (psycopg.OperationalError, dbapi.Error)
_FROM_THE_ENVIRONMENT: Final = (
    {option.envvar.decode() for option in Conninfo.get_defaults() if option.envvar}
    | {"PGTZ", "PGDATESTYLE", "PGGEQO", "PGSERVICEFILE", "PGSYSCONFDIR"}
) - {"PGPASSWORD", "PGPASSFILE"}
"""What libpq takes from the environment besides a password: PGTZ and its like even win over a session's settings."""


@contextmanager
def control_connection(endpoint: Endpoint) -> Iterator[Connection]:
    """Opens a read-only session for metadata and aggregates; autocommit, closed at the end.

    Raises:
        CredentialsRefused: the server refused the login.
        SettingsInvalid: the server's certificate could not be verified.
        SourceUnavailable: nothing answered within `connect_seconds`, or the login is refused since the run began.
    """
    _forget_the_environment()
    connection = patiently(endpoint, lambda: psycopg.connect(endpoint.conninfo(), autocommit=True), _meaning, _FOREIGN)
    try:
        yield connection
    finally:
        connection.close()


@contextmanager
def arrow_connection(endpoint: Endpoint) -> Iterator[dbapi.Connection]:
    """Opens a read-only session that hands rows over as Arrow; it raises what `control_connection` does."""
    _forget_the_environment()
    connection = patiently(endpoint, lambda: dbapi.connect(endpoint.conninfo(), autocommit=True), _meaning, _FOREIGN)
    try:
        yield connection
    finally:
        connection.close()


def only_row(connection: Connection, sql: str) -> Sequence[object]:
    """Returns the only row of a query on a control connection.

    Raises:
        psycopg.Error: the query failed.
    """
    row = connection.execute(sql.encode()).fetchone()
    return row if row is not None else ()


def server_of(connection: Connection) -> str:
    """Returns what names a server: its system identifier, and its timeline, which a restore or a promotion changes.

    Where the server does not tell its users, its engine alone.
    """
    with suppress(psycopg.errors.InsufficientPrivilege, psycopg.errors.FeatureNotSupported):
        system, timeline = only_row(connection, SERVER_SQL)
        return f"postgres {system} {timeline}"
    return "postgres"


def translated(ask: Callable[[], Answer], place: Mapping[str, object]) -> Answer:
    """Returns the answer to a question; what psycopg raises becomes our error.

    Raises:
        SourceUnavailable, ReadFailed: the query failed.
    """
    state = ""
    try:
        return ask()
    except psycopg.Error as error:
        state = error.sqlstate or ""
    raise query_failure(state, place)


def _forget_the_environment() -> None:
    """Lets nothing but the settings say where a session goes, and what it is like."""
    for name in _FROM_THE_ENVIRONMENT:
        os.environ.pop(name, None)


def _meaning(error: Exception) -> Failure:
    """Returns what a driver's failure means: the server's text only chooses among our sentences."""
    return bool(_REFUSED.search(str(error))), bool(_UNVERIFIED.search(str(error)))
