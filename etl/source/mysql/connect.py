"""Control connections to MySQL by PyMySQL; the password stays in this process's memory."""

from __future__ import annotations

import ssl
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import lru_cache
from typing import Final, TypeAlias, TypeVar

import pymysql

from etl.source.endpoint import Endpoint, Failure, patiently
from etl.source.mysql.failures import number_of, query_failure
from etl.source.mysql.guard import AS_WRITTEN

Connection: TypeAlias = "pymysql.Connection[pymysql.cursors.Cursor]"  # generic in its stubs only
Answer = TypeVar("Answer")

_REFUSED: Final = frozenset({1044, 1045, 1049, 1698, 3118})
"""The login: no right to the database, wrong password, no such database, another plugin, a locked account."""
_NO_TLS: Final = 2026


@contextmanager
def control_connection(endpoint: Endpoint, answer_seconds: float | None = None) -> Iterator[Connection]:
    """Opens a session for metadata and aggregates; closed at the end. It is not prepared yet: see `prepare_session`.

    Args:
        endpoint: where.
        answer_seconds: how long an answer is waited for; None: a little longer than a statement may take.

    Raises:
        CredentialsRefused: the server refused the login.
        SettingsInvalid: the server's certificate could not be verified.
        SourceUnavailable: nothing answered within `connect_seconds`, or the login is refused since the run began.
    """
    seconds = answer_seconds or endpoint.statement_seconds + 30
    connection = patiently(endpoint, lambda: _opened(endpoint, seconds), _meaning, (pymysql.Error, OSError))
    try:
        yield connection
    finally:
        connection.close()


def translated(ask: Callable[[], Answer], place: Mapping[str, object]) -> Answer:
    """Returns the answer to a question; what PyMySQL raises becomes our error.

    Raises:
        SourceUnavailable, SourceForbidden, StatementTimedOut, ReadFailed: the query failed.
    """
    number = 0
    try:
        return ask()
    except pymysql.Error as error:
        number = number_of(error)
    raise query_failure(number, place)


def server_of(connection: Connection, place: Mapping[str, object]) -> str:
    """Returns what names a server: the UUID that MySQL gives itself, or MariaDB's server number.

    Replicas have names of their own: a merge that goes on at another one begins with the whole table.

    Raises:
        SourceUnavailable, ReadFailed: the query failed.
    """

    def ask() -> str:
        with connection.cursor() as cursor:
            cursor.execute("SHOW GLOBAL VARIABLES WHERE Variable_name IN ('server_uuid', 'server_id')")
            told = {str(name).lower(): str(value) for name, value in cursor.fetchall()}
            return f"mysql {told.get('server_uuid') or told.get('server_id', '')}"

    return translated(ask, place)


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
        init_command=f"SET SESSION {AS_WRITTEN}",  # before the first question: its answer has many rows
        ssl=None if endpoint.local else _tls(endpoint.url_options.get("sslrootcert")),
        ssl_disabled=endpoint.local,  # or each session would read this machine's certificates for nothing
    )


@lru_cache(maxsize=1)
def _tls(certificates: str | None) -> ssl.SSLContext:
    """Returns what all sessions of this process verify the server by: to read certificates takes longer than to ask."""
    return ssl.create_default_context(cafile=certificates)


def _meaning(error: Exception) -> Failure:
    """Returns what a failure to connect means, by the numbers of MySQL's protocol."""
    if isinstance(error, OSError):
        return False, isinstance(error, ssl.SSLError | FileNotFoundError)
    # PyMySQL wraps what TLS says; a server without TLS has a number of its own.
    wrapped = isinstance(error.__cause__ or error.__context__, ssl.SSLError)
    return number_of(error) in _REFUSED, wrapped or number_of(error) == _NO_TLS
