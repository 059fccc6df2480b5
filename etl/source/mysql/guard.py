"""Proves by SQL that a MySQL session is on a reader.

Aurora's readers are `innodb_read_only`. Elsewhere a replica is `read_only`, which binds only users without the
privilege to write in spite of it, so that is asked too. Spark's own connections prove the same by the one statement
that prepares them: its value for `time_zone` exists only on such a reader.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from etl.errors import NO_ROW_READ
from etl.source.guard import EndpointRefused, ProvenPlace, Reader, Role, let_through

VARIABLES_SQL: Final = (
    "SHOW GLOBAL VARIABLES WHERE Variable_name IN"
    " ('innodb_read_only', 'read_only', 'aurora_server_id', 'hostname', 'version')"
)
MAY_WRITE_SQL: Final = """
SELECT count(*) FROM information_schema.user_privileges
WHERE grantee = concat('''', replace(current_user(), '@', '''@'''), '''')
AND privilege_type IN ('SUPER', 'READ_ONLY ADMIN', 'READ ONLY ADMIN', 'CONNECTION_ADMIN')
"""
AURORA_WRITER_SQL: Final = """
SELECT count(*) FROM information_schema.replica_host_status
WHERE server_id = @@aurora_server_id AND session_id = 'MASTER_SESSION_ID'
"""
"""A second witness: whether Aurora itself calls the instance the writer."""
OLDEST_MYSQL: Final = 5_07_00
OLDEST_MARIADB: Final = 10_05_00
_ON: Final = frozenset({"ON", "1"})
_SQL_MODE: Final = "STRICT_ALL_TABLES"  # neither PAD_CHAR_TO_FULL_LENGTH nor ANSI_QUOTES: both change what we read
AS_WRITTEN: Final = (
    "sql_select_limit = 18446744073709551615, sql_auto_is_null = 0, character_set_client = utf8mb4,"
    " character_set_connection = utf8mb4, character_set_results = utf8mb4"
)
"""No default of the server, and nothing in its `init_connect`, leaves rows or letters out or reads SQL otherwise."""
_COMMITTED: Final = "'REPEATABLE-READ'"
"""A slice is one consistent read: neither rows that may be rolled back, nor two states of a table."""


@dataclass(frozen=True)
class MySqlReader(Reader):
    """What the guard proved, and how further connections prove it again.

    Attributes:
        mariadb: whether it is MariaDB, which spells some settings in its own way.
        proof: an SQL expression that is true on a reader that may be read.
        allowed: the instances that may be read; empty: any reader. Slices may be read from several instances,
            because they are not one snapshot.
    """

    mariadb: bool = False
    proof: str = ""
    allowed: tuple[str, ...] = ()


def prove_reader(
    variables: Mapping[str, str],
    endpoint: ProvenPlace,
    allowed_instances: Sequence[str] = (),
    *,
    may_write: bool = False,
    is_writer: bool = False,
) -> MySqlReader:
    """Returns the reader that a session of MySQL is on.

    Args:
        variables: the server's answer to VARIABLES_SQL.
        endpoint: for the host's shape and the error's place.
        allowed_instances: names that may be read; empty allows any reader.
        may_write: whether the user may write in spite of `read_only`.
        is_writer: whether Aurora calls the instance the writer.

    Raises:
        EndpointRefused: the session is on a writer, on an instance outside the allowed list, or on too old a server; or
            the server is read-only, but not for this user. No row was read.
    """
    reader = _candidate(variables, allowed_instances)
    asked = "innodb_read_only" if reader.is_aurora else "read_only"
    reads_only = any(variables.get(one, "").upper() in _ON for one in {asked, "innodb_read_only"})
    oldest = OLDEST_MARIADB if reader.mariadb else OLDEST_MYSQL
    told = "Aurora calls it the writer" if is_writer else f"@@{asked} is off"
    let_through(Role(reads_only and not is_writer, reader, told, oldest), endpoint, allowed_instances)
    if may_write and not reader.is_aurora:
        raise EndpointRefused(
            "The server is read-only, but not for this user, so it proves nothing.",
            not_done=NO_ROW_READ,
            advice="Take SUPER, CONNECTION_ADMIN and READ_ONLY ADMIN from the ETL user.",
            where={**endpoint.place, "instance": reader.instance},
        )
    return reader


def session_sql(reader: MySqlReader, seconds: int) -> str:
    """Returns the one statement that prepares a session; it fails unless the session is on a proven reader."""
    if reader.mariadb:  # which can also show every session its versioned tables as they once were
        own = f"max_statement_time = {seconds}, system_versioning_asof = DEFAULT"
    else:
        own = f"max_execution_time = {seconds * 1000}"
    kind = "tx" if reader.mariadb else "transaction"
    transaction = f"{kind}_read_only = 1, {kind}_isolation = {_COMMITTED}"
    proven = f"time_zone = IF({reader.proof}, '+00:00', 'not on a reader')"
    return f"SET SESSION {proven}, sql_mode = '{_SQL_MODE}', {AS_WRITTEN}, {transaction}, {own}"


def _candidate(variables: Mapping[str, str], allowed_instances: Sequence[str]) -> MySqlReader:
    """Returns what a server says it is, and the expression by which each session on it proves that it may be read."""
    aurora = "aurora_server_id" in variables
    name = "aurora_server_id" if aurora else "hostname"
    proof = "@@innodb_read_only" if aurora else "(@@read_only OR @@innodb_read_only)"
    if allowed_instances:
        listed = ", ".join("'" + one.replace("'", "''") + "'" for one in allowed_instances)
        proof += f" AND @@{name} IN ({listed})"
    return MySqlReader(
        instance=variables.get(name, ""),
        version=_number(variables.get("version", "")),
        is_aurora=aurora,
        mariadb="MariaDB" in variables.get("version", ""),
        proof=proof,
        allowed=tuple(allowed_instances),
    )


def _number(version: str) -> int:
    """Returns 8.0.39 as 8_00_39."""
    parts = [int(part) for part in re.findall(r"\d+", version)[:3]]
    return sum(part * 100**power for power, part in zip((2, 1, 0), parts, strict=False))
