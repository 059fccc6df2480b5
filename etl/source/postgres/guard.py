"""Proves by SQL that a PostgreSQL session is on a reader, whatever its users have made in the database.

Names are qualified, and `search_path` is set by the connection itself, which no default of a role can change. Several
witnesses must agree: the server's own function, a parameter that the server reports by itself, and Aurora's list of
instances. The session's settings are looked at too: something between us and the server may have lost them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from etl.errors import NO_ROW_READ
from etl.source.guard import Ask, EndpointRefused, ProvenPlace, Reader, Role, let_through

OLDEST_VERSION: Final = 13_00_00
"""Of PostgreSQL, as `server_version_num` spells it."""
_IS_AURORA: Final = "pg_catalog.to_regproc('pg_catalog.aurora_db_instance_identifier') IS NOT NULL"
READS_ONLY_SQL: Final = f"""pg_catalog.pg_is_in_recovery()
       AND ({_IS_AURORA} OR coalesce(pg_catalog.current_setting('in_hot_standby', true), 'on') = 'on')"""
"""Two witnesses; the second is PostgreSQL 14's, nothing but the server can set it, and Aurora has its own instead."""
PROOF_SQL: Final = f"""
SELECT ({READS_ONLY_SQL}) AS reads_only,
       coalesce(nullif(pg_catalog.current_setting('cluster_name'), ''), 'unnamed')::pg_catalog.text AS instance,
       pg_catalog.current_setting('server_version_num')::pg_catalog.int8 AS version,
       ({_IS_AURORA}) AS is_aurora,
       (pg_catalog.replace(pg_catalog.current_setting('search_path'), ' ', '') = 'pg_catalog,pg_temp'
        AND pg_catalog.current_setting('row_security') = 'off'
        AND pg_catalog.current_setting('default_transaction_read_only') = 'on'
        AND pg_catalog.current_setting('standard_conforming_strings') = 'on'
        AND pg_catalog.current_setting('TimeZone') = 'UTC'
        AND pg_catalog.current_setting('DateStyle') ~ '^ISO') AS is_ours
"""
AURORA_INSTANCE_SQL: Final = """
SELECT pg_catalog.aurora_db_instance_identifier()::pg_catalog.text,
       EXISTS (SELECT FROM pg_catalog.aurora_replica_status() AS s
               WHERE s.server_id = pg_catalog.aurora_db_instance_identifier() AND s.session_id = 'MASTER_SESSION_ID')
"""
"""The instance, and whether Aurora itself calls it the writer."""


def prove_reader(ask: Ask, endpoint: ProvenPlace, allowed_instances: Sequence[str] = ()) -> Reader:
    """Returns the reader that a session of PostgreSQL is on.

    Args:
        ask: asks on the session.
        endpoint: for the host's shape and the error's place.
        allowed_instances: names that may be read; empty allows any reader.

    Raises:
        EndpointRefused: the session is on a writer, on an instance outside the allowed list, or on too old a server; or
            it has lost its settings. No row was read.
    """
    reads_only, instance, version, is_aurora, is_ours = ask(PROOF_SQL)
    is_writer: object = False
    if is_aurora:
        instance, is_writer = ask(AURORA_INSTANCE_SQL)
    reader = Reader(str(instance), int(str(version)), bool(is_aurora))
    told = "Aurora calls it the writer" if reads_only is True else "pg_is_in_recovery() is false"
    role = Role(reads_only is True and is_writer is False, reader, told, OLDEST_VERSION)
    let_through(role, endpoint, allowed_instances)
    if is_ours is not True:
        raise EndpointRefused(
            "The session does not have the settings that it was opened with.",
            not_done=NO_ROW_READ,
            advice="Connect to the server itself, not by a pooler that shares its sessions.",
            where={**endpoint.place, "instance": reader.instance},
        )
    return reader
