"""PostgreSQL's control session under the pinned snapshot."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager

import psycopg

from etl.errors import NO_ROW_READ, PlanRejected
from etl.handoff import Slice
from etl.source.catalogue import SourceTable, describe, estimated_rows, relations
from etl.source.dialect import POSTGRES
from etl.source.read import query_failure
from etl.source.slices import ctid_slices, whole

_HEAP_KINDS = frozenset({"r", "m", "p"})  # a range of ctids reads that range of every leaf of a partitioned table
_NO_PRIVILEGE = psycopg.errors.InsufficientPrivilege.sqlstate


class PostgresSession:
    """Asks PostgreSQL for metadata and aggregates; its errors become ours."""

    dialect = POSTGRES

    def __init__(self, connection: psycopg.Connection[tuple[object, ...]]) -> None:
        self.connection = connection

    def isolated(self) -> AbstractContextManager[object]:
        """Opens a savepoint: one table's error does not end the transaction of all."""
        return self.connection.transaction()

    def describe(self, table: str) -> SourceTable | None:
        """Gives what the catalogue says about `schema.table`; see `Session`."""
        state = ""
        try:
            return describe(self.connection, table)
        except psycopg.Error as error:
            state = error.sqlstate or ""
        raise _refused_look(table) if state == _NO_PRIVILEGE else query_failure(state, {"source": table})

    def relations(self) -> tuple[str, ...]:
        """Gives every table and view; see `Session`."""
        state = ""
        try:
            return relations(self.connection)
        except psycopg.Error as error:
            state = error.sqlstate or ""
        raise query_failure(state, {})

    def estimated_rows(self, table: str, where: str) -> int:
        """Gives the planner's estimate; see `Session`."""
        state = ""
        try:
            return estimated_rows(self.connection, f"SELECT FROM {POSTGRES.quoted(table)} WHERE {where}")
        except psycopg.Error as error:
            state = error.sqlstate or ""
        raise query_failure(state, {"source": table})

    def slices(self, table: SourceTable, count: int) -> tuple[Slice, ...]:
        """Cuts a heap into ranges of pages; views and the like stay whole."""
        return ctid_slices(table.pages, count) if table.kind in _HEAP_KINDS else whole()

    def row(self, sql: str) -> Sequence[object]:
        """Gives the only row of a query; see `Session`."""
        state = ""
        try:
            return self.connection.execute(sql.encode()).fetchone() or ()
        except psycopg.Error as error:
            state = error.sqlstate or ""
        raise query_failure(state, {})


def _refused_look(table: str) -> PlanRejected:
    return PlanRejected(
        f"The ETL user may not look at {table}.",
        not_done=NO_ROW_READ,
        advice="Grant USAGE on its schema and SELECT on the table to the ETL user.",
    )
