"""Control connections to MySQL, and its failures told as ours; the password stays in this process's memory."""

from __future__ import annotations

import ssl
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Final, TypeAlias

import pymysql

from etl.errors import (
    NO_ROW_READ,
    NOT_PUBLISHED,
    ReadFailed,
    SourceForbidden,
    SourceUnavailable,
    StatementTimedOut,
)
from etl.source.endpoint import Endpoint, Failure, patiently
from masking.errors import KagemushaError

Connection: TypeAlias = "pymysql.Connection[pymysql.cursors.Cursor]"  # generic in its stubs only

_REFUSED: Final = frozenset({1044, 1045, 1049, 1698, 3118})
"""The login: no right to the database, wrong password, no such database, another plugin, a locked account."""
_NO_RIGHT: Final = frozenset({1142, 1143, 1227, 1370})
_MAY_PASS: Final = frozenset(
    {1028, 1040, 1053, 1080, 1152, 1158, 1159, 1160, 1161, 1203, 1205, 1213, 1290, 1317, 1836, 1927}
    | {2002, 2003, 2006, 2013, 2055, 3169}
)
"""Shutdown, too many connections, network, locks, a killed query."""
_NO_TLS: Final = 2026
_TIMED_OUT: Final = frozenset({1969, 3024})


@contextmanager
def control_connection(endpoint: Endpoint, answer_seconds: float | None = None) -> Iterator[Connection]:
    """Opens a session for metadata and aggregates; closed at the end. It is not prepared yet: see the guard.

    Args:
        endpoint: where.
        answer_seconds: how long an answer is waited for; None: a little longer than a statement may take.

    Raises:
        CredentialsRefused: the server refused the login.
        SettingsInvalid: the server's certificate could not be verified.
        SourceUnavailable: nothing answered within `connect_seconds`.
    """
    seconds = answer_seconds or endpoint.statement_seconds + 30
    connection = patiently(endpoint, lambda: _opened(endpoint, seconds), _meaning, (pymysql.Error, OSError))
    try:
        yield connection
    finally:
        connection.close()


def failure_of(number: int, place: Mapping[str, object]) -> KagemushaError:
    """Returns our error for a query that failed with an error number of MySQL; its text is not repeated."""
    if number in _MAY_PASS or not number:
        reason = f"error {number}" if number else "connection lost"
        return SourceUnavailable(f"The database ended a query ({reason}).", not_done=NOT_PUBLISHED, where=place)
    if number in _TIMED_OUT:
        return StatementTimedOut("A query ran longer than it may.", not_done=NOT_PUBLISHED, where=place)
    if number in _NO_RIGHT:
        return SourceForbidden(
            "The ETL user may not look at a table or a column.",
            not_done=NO_ROW_READ,
            advice="Grant SELECT on the table to the ETL user.",
            where=place,
        )
    return ReadFailed(f"The database refused a query (error {number}).", not_done=NOT_PUBLISHED, where=place)


def number_of(error: Exception) -> int:
    """Returns the error number that PyMySQL puts first, or 0."""
    return error.args[0] if error.args and isinstance(error.args[0], int) else 0


def _opened(endpoint: Endpoint, answer_seconds: float) -> Connection:
    who = endpoint.login()
    return pymysql.connect(
        host=endpoint.host,
        port=endpoint.port,
        user=who.user,
        password=who.password or "",
        database=endpoint.database,
        charset="utf8mb4",
        autocommit=True,
        connect_timeout=10,
        read_timeout=answer_seconds,
        program_name=endpoint.application,
        ssl=None if endpoint.local else ssl.create_default_context(cafile=endpoint.url_options.get("sslrootcert")),
    )


def _meaning(error: Exception) -> Failure:
    """Tells what a failure to connect means, by the numbers of MySQL's protocol."""
    if isinstance(error, OSError):
        return False, isinstance(error, ssl.SSLError | FileNotFoundError)
    # PyMySQL wraps what TLS says; a server without TLS is told by a number of its own.
    wrapped = isinstance(error.__cause__ or error.__context__, ssl.SSLError)
    return number_of(error) in _REFUSED, wrapped or number_of(error) == _NO_TLS
