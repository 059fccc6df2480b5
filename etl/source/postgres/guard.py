"""Proves by SQL that a PostgreSQL session is on a reader."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from etl.source.guard import Ask, ProvenPlace, Reader, Role, let_through

OLDEST_VERSION: Final = 13_00_00
"""Of PostgreSQL, as `server_version_num` spells it."""
PROOF_SQL: Final = """
SELECT pg_is_in_recovery() AS in_recovery,
       coalesce(nullif(current_setting('cluster_name'), ''), 'unnamed')::text AS instance,
       current_setting('server_version_num')::int8 AS version,
       (to_regproc('aurora_db_instance_identifier') IS NOT NULL) AS is_aurora
"""
AURORA_INSTANCE_SQL: Final = "SELECT aurora_db_instance_identifier()::text"


def prove_reader(ask: Ask, endpoint: ProvenPlace, allowed_instances: Sequence[str] = ()) -> Reader:
    """Returns the reader that a session of PostgreSQL is on.

    Args:
        ask: asks on the session.
        endpoint: for the host's shape and the error's place.
        allowed_instances: names that may be read; empty allows any reader.

    Raises:
        EndpointRefused: the session is on a writer, on an instance outside the allowed list, or on too old a server.
            No row was read.
    """
    in_recovery, instance, version, is_aurora = ask(PROOF_SQL)
    if is_aurora:
        (instance,) = ask(AURORA_INSTANCE_SQL)
    reader = Reader(str(instance), int(str(version)), bool(is_aurora))
    role = Role(in_recovery is True, reader, "pg_is_in_recovery() is false", OLDEST_VERSION)
    return let_through(role, endpoint, allowed_instances)
