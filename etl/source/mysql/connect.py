"""Control connections to MySQL, and its failures told as ours; the password stays in this process's memory."""

from __future__ import annotations

import random
import ssl
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Final, TypeAlias

import pymysql

from etl.errors import (
    NO_ROW_READ,
    NOT_PUBLISHED,
    ReadFailed,
    SettingsInvalid,
    SourceForbidden,
    SourceUnavailable,
    StatementTimedOut,
)
from etl.source.connect import Endpoint, refused_login
from etl.source.credentials import renew
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
_FIRST_PAUSE_SECONDS: Final = 0.2
_LONGEST_PAUSE_SECONDS: Final = 5.0


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
    connection = _patiently(endpoint, answer_seconds or endpoint.statement_seconds + 30)
    try:
        yield connection
    finally:
        connection.close()


def failure_of(number: int, place: Mapping[str, object]) -> KagemushaError:
    """Gives our error for a query that failed with an error number of MySQL; its text is not repeated."""
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


def number_of(error: pymysql.Error) -> int:
    """Gives the error number that PyMySQL puts first, or 0."""
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
        ssl=None if endpoint.local else ssl.create_default_context(cafile=dict(endpoint.options).get("sslrootcert")),
    )


def _patiently(endpoint: Endpoint, answer_seconds: float) -> Connection:
    """Connects, as often as it takes a sleeping reader to wake up; a refused password is read anew once."""
    deadline = time.monotonic() + endpoint.connect_seconds
    pause = _FIRST_PAUSE_SECONDS
    renewed = False
    while True:
        refused = unverified = False
        try:
            return _opened(endpoint, answer_seconds)
        except pymysql.Error as error:
            refused = number_of(error) in _REFUSED
            # PyMySQL wraps what TLS says; a server without TLS is told by a number of its own.
            unverified = isinstance(error.__cause__ or error.__context__, ssl.SSLError) or number_of(error) == _NO_TLS
        except OSError as error:
            unverified = isinstance(error, ssl.SSLError | FileNotFoundError)
        if refused and not renewed and renew(endpoint.password):
            renewed = True
            continue
        if refused:
            raise refused_login(endpoint)
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
        pause = min(pause * 2, _LONGEST_PAUSE_SECONDS)
