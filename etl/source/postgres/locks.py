"""Locks of the session that holds the snapshot: while they are there, no table that is read becomes another one.

ACCESS SHARE is the weakest lock, which every query takes; only what changes a table itself has to wait for it. On a
standby that is the replay of such a change: it waits as long as the server allows, and then ends our session.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import psycopg

from etl.errors import NO_ROW_READ, NOT_PUBLISHED, SourceChanged, SourceUnavailable
from etl.source.postgres.connect import Connection
from etl.source.postgres.definition import lock_sql
from masking.errors import KagemushaError

_LEFT_TO_THE_PLAN: Final = frozenset({"42P01", "3F000", "42501"})
"""SQLSTATEs of tables that are not there or may not be read: comparing them with their contracts says more."""
_TIMED_OUT: Final = "55P03"


def lock(
    connection: Connection, tables: Sequence[str], wait_seconds: float, place: Mapping[str, object]
) -> dict[str, KagemushaError]:
    """Locks tables until the transaction ends, and returns why some are not locked; those are not to be read.

    Args:
        connection: in the transaction that holds the snapshot; it survives what a single table refuses.
        tables: each as `schema.table`.
        wait_seconds: how long a change of a table that is under way is waited for.
        place: of the endpoint.

    Raises:
        SourceUnavailable: the session has ended.
    """
    ended = ""
    try:
        connection.execute(f"SET LOCAL lock_timeout = {round(wait_seconds * 1000)}".encode())
        if not tables or _locked(connection, tables) is None:
            return {}
        refused = {table: _locked(connection, [table]) for table in tables}
        return {
            table: _refusal(table, state, place)
            for table, state in refused.items()
            if state is not None and state not in _LEFT_TO_THE_PLAN
        }
    except psycopg.Error as error:
        ended = error.sqlstate or "no SQLSTATE"
    raise SourceUnavailable(
        f"The database ended the session that locks the tables ({ended}).", not_done=NO_ROW_READ, where=place
    )


def _locked(connection: Connection, tables: Sequence[str]) -> str | None:
    """Locks all of the tables or none; returns the SQLSTATE of what refused one."""
    try:
        with connection.transaction():  # a savepoint: the snapshot outlives a refusal
            connection.execute(lock_sql(tables).encode())
    except psycopg.Error as error:
        if connection.closed:
            raise
        return error.sqlstate or ""
    return None


def _refusal(table: str, state: str, place: Mapping[str, object]) -> KagemushaError:
    if state == _TIMED_OUT:
        return SourceChanged(
            "The table is being changed, and the change did not end in time.",
            not_done=NOT_PUBLISHED,
            where={**place, "source": table},
        )
    return SourceUnavailable(
        f"The table could not be locked (SQLSTATE {state}).", not_done=NOT_PUBLISHED, where={**place, "source": table}
    )
