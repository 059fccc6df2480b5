"""The reader guard of MySQL: SQL proves, on every connection, that the session is on a reader that may be read.

Aurora's readers are `innodb_read_only`. Elsewhere a replica is `read_only`, which holds only for users without the
privilege to write in spite of it, so that is asked too. Spark's own connections prove the same in the one statement
that prepares them: its value for `time_zone` exists only on such a reader.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import pymysql

from etl.errors import NO_ROW_READ, NOT_PUBLISHED
from etl.source.endpoint import Endpoint
from etl.source.guard import EndpointRefused, Reader, ReaderChanged, Role, let_through
from etl.source.mysql.connect import Connection, failure_of, number_of

VARIABLES_SQL: Final = (
    "SHOW GLOBAL VARIABLES WHERE Variable_name IN"
    " ('innodb_read_only', 'read_only', 'aurora_server_id', 'hostname', 'version')"
)
MAY_WRITE_SQL: Final = """
SELECT count(*) FROM information_schema.user_privileges
WHERE grantee = concat('''', replace(current_user(), '@', '''@'''), '''')
AND privilege_type IN ('SUPER', 'READ_ONLY ADMIN', 'READ ONLY ADMIN', 'CONNECTION_ADMIN')
"""
UNKNOWN_TIME_ZONE: Final = 1298
"""What a session that is not on a reader fails with while it is prepared."""
OLDEST_MYSQL: Final = 5_07_00
OLDEST_MARIADB: Final = 10_05_00
_ON: Final = frozenset({"ON", "1"})
_SQL_MODE: Final = "STRICT_ALL_TABLES"  # neither PAD_CHAR_TO_FULL_LENGTH nor ANSI_QUOTES: both change what we read


@dataclass(frozen=True)
class MySqlReader(Reader):
    """What the guard proved, and how further connections prove it again.

    Attributes:
        mariadb: whether it is MariaDB, which spells limits of its own.
        proof: an SQL expression that is true on a reader that may be read.
        allowed: the instances that may be read; empty: any reader. Slices need not meet on one instance, because
            they are not one snapshot.
    """

    mariadb: bool = False
    proof: str = ""
    allowed: tuple[str, ...] = ()


def prove_reader(
    variables: Mapping[str, str], endpoint: Endpoint, allowed_instances: Sequence[str] = (), *, may_write: bool = False
) -> MySqlReader:
    """Returns the reader that a session is on.

    Args:
        variables: the server's answer to VARIABLES_SQL.
        endpoint: for the error's place.
        allowed_instances: names that may be read; empty allows any reader.
        may_write: whether the user may write in spite of `read_only`.

    Raises:
        EndpointRefused: the session is on a writer, or on an instance outside the allowed list. No row was read.
    """
    aurora, mariadb = "aurora_server_id" in variables, "MariaDB" in variables.get("version", "")
    name, asked = ("aurora_server_id", "innodb_read_only") if aurora else ("hostname", "read_only")
    proof = "@@innodb_read_only" if aurora else "(@@read_only OR @@innodb_read_only)"
    if allowed_instances:
        listed = ", ".join("'" + one.replace("'", "''") + "'" for one in allowed_instances)
        proof += f" AND @@{name} IN ({listed})"
    reader = MySqlReader(
        instance=variables.get(name, ""),
        version=_number(variables.get("version", "")),
        is_aurora=aurora,
        mariadb=mariadb,
        proof=proof,
        allowed=tuple(allowed_instances),
    )
    reads_only = any(variables.get(one, "").upper() in _ON for one in {asked, "innodb_read_only"})
    oldest = OLDEST_MARIADB if mariadb else OLDEST_MYSQL
    let_through(Role(reads_only, reader, f"@@{asked} is off", oldest), endpoint, allowed_instances)
    if may_write and not aurora:
        raise EndpointRefused(
            "The server is read-only, but not for this user, so it proves nothing.",
            not_done=NO_ROW_READ,
            advice="Take SUPER, CONNECTION_ADMIN and READ_ONLY ADMIN from the ETL user.",
            where={**endpoint.place, "instance": reader.instance},
        )
    return reader


def _number(version: str) -> int:
    """Returns 8.0.39 as 8_00_39."""
    parts = [int(part) for part in re.findall(r"\d+", version)[:3]]
    return sum(part * 100**power for power, part in zip((2, 1, 0), parts, strict=False))


def session_sql(reader: MySqlReader, seconds: int) -> str:
    """Returns the one statement that prepares a session; it fails unless the session is on a proven reader."""
    limit = f"max_statement_time = {seconds}" if reader.mariadb else f"max_execution_time = {seconds * 1000}"
    read_only = "tx_read_only" if reader.mariadb else "transaction_read_only"
    proven = f"time_zone = IF({reader.proof}, '+00:00', 'not on a reader')"
    return f"SET SESSION {proven}, sql_mode = '{_SQL_MODE}', {read_only} = 1, {limit}"


def prepared(connection: Connection, endpoint: Endpoint, allowed_instances: Sequence[str] = ()) -> MySqlReader:
    """Proves that a connection is on a reader and prepares its session: UTC, read-only, a time limit.

    Raises:
        EndpointRefused: see `prove_reader`.
        SourceUnavailable, ReadFailed: the server did not answer.
    """
    number = 0
    try:
        with connection.cursor() as cursor:
            cursor.execute(VARIABLES_SQL)
            variables = {str(name).lower(): str(value) for name, value in cursor.fetchall()}
            cursor.execute(MAY_WRITE_SQL)
            may_write = cursor.fetchone() != (0,)
            reader = prove_reader(variables, endpoint, allowed_instances, may_write=may_write)
            cursor.execute(session_sql(reader, endpoint.statement_seconds))
            return reader
    except pymysql.Error as error:
        number = number_of(error)
    if number == UNKNOWN_TIME_ZONE:
        raise EndpointRefused("Connected to the writer.", not_done=NO_ROW_READ, where=endpoint.place)
    raise failure_of(number, endpoint.place)


def still_prepared(connection: Connection, endpoint: Endpoint, allowed_instances: Sequence[str]) -> MySqlReader:
    """Proves and prepares a connection in the middle of a run.

    Raises:
        ReaderChanged: it is on a writer or on another instance now. Another run begins with a new look at the endpoint.
        SourceUnavailable, ReadFailed: the server did not answer.
    """
    found = ""
    try:
        return prepared(connection, endpoint, allowed_instances)
    except EndpointRefused as error:
        found = error.what
    raise changed(endpoint.place, found)


def changed(place: Mapping[str, object], found: str) -> ReaderChanged:
    """Returns the error that says that the reader is none any more."""
    return ReaderChanged(
        f"The reader changed in the middle of the run: {found[:1].lower()}{found[1:].rstrip('.')}.",
        not_done=NOT_PUBLISHED,
        advice="Run again when the cluster's failover is over.",
        where=place,
    )
