"""Connections to PostgreSQL: one for questions, one that hands rows over as Arrow."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import psycopg
from adbc_driver_postgresql import dbapi

from etl.source.endpoint import Endpoint, Failure, patiently

_REFUSED: Final = re.compile(
    r"password authentication failed|no password supplied|no pg_hba\.conf entry|not permitted to log in"
    r'|PAM authentication failed|(role|database|user) "[^"]*" does not exist|permission denied for database'
)
_UNVERIFIED: Final = re.compile(
    r"root certificate file|certificate verify failed|server certificate for|SSL is not enabled|does not support SSL"
)
_FOREIGN: Final = (psycopg.OperationalError, dbapi.Error)


@contextmanager
def control_connection(endpoint: Endpoint) -> Iterator[psycopg.Connection[tuple[object, ...]]]:
    """Opens a read-only session for metadata and aggregates; autocommit, closed at the end.

    Raises:
        CredentialsRefused: the server refused the login.
        SourceUnavailable: nothing answered within `connect_seconds`, or the login is refused since the run began.
    """
    connection = patiently(endpoint, lambda: psycopg.connect(endpoint.conninfo(), autocommit=True), _meaning, _FOREIGN)
    try:
        yield connection
    finally:
        connection.close()


@contextmanager
def arrow_connection(endpoint: Endpoint) -> Iterator[dbapi.Connection]:
    """Opens a read-only session that hands rows over as Arrow.

    Raises:
        CredentialsRefused: the server refused the login.
        SourceUnavailable: nothing answered within `connect_seconds`, or the login is refused since the run began.
    """
    connection = patiently(endpoint, lambda: dbapi.connect(endpoint.conninfo(), autocommit=True), _meaning, _FOREIGN)
    try:
        yield connection
    finally:
        connection.close()


def _meaning(error: Exception) -> Failure:
    """Tells what a driver of PostgreSQL means: the server's text decides only which of our sentences is said."""
    return bool(_REFUSED.search(str(error))), bool(_UNVERIFIED.search(str(error)))
