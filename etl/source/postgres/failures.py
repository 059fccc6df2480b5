"""PostgreSQL's failures as our errors: the SQLSTATE decides, and the server's text is not repeated."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from etl.errors import NOT_PUBLISHED, SourceUnavailable, StatementTimedOut
from etl.source.session import ReadFailed
from masking.errors import KagemushaError

GONE: Final = frozenset({"22023", "42704", "55000"})
"""SQLSTATEs of `SET TRANSACTION SNAPSHOT` for a snapshot that is gone, in all versions of PostgreSQL."""
_TRANSIENT_STATES: Final = ("08", "40", "53", "57", "58")
"""SQLSTATE classes that may pass on a retry: connection, rollback, resources, operator intervention, system error.

A standby cancels a query with 40001 when it must replay a change that the query blocks."""
_CANCELED: Final = "57014"
"""Both a statement timeout and a person who cancels; only the time that has passed distinguishes them reliably."""


def query_failure(state: str, place: Mapping[str, object], *, timed_out: bool = False) -> KagemushaError:
    """Returns our error for a query that failed with a SQLSTATE; an empty or a transient one means run again."""
    if state == _CANCELED and timed_out:
        return StatementTimedOut("A query reached its time limit.", not_done=NOT_PUBLISHED, where=place)
    if not state or state.startswith(_TRANSIENT_STATES):
        reason = f"SQLSTATE {state}" if state else "connection or snapshot lost"
        return SourceUnavailable(f"The database ended a query ({reason}).", not_done=NOT_PUBLISHED, where=place)
    return ReadFailed(f"The database refused a query (SQLSTATE {state}).", not_done=NOT_PUBLISHED, where=place)
