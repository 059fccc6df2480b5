"""PostgreSQL's control session under the pinned snapshot."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import datetime

import psycopg

from etl.errors import NO_ROW_READ, PlanRejected
from etl.source.catalogue import SourceTable
from etl.source.dialect import POSTGRES
from etl.source.postgres.catalogue import describe, estimated_rows, estimated_width, relations
from etl.source.postgres.key_ranges import key_slices
from etl.source.postgres.read import query_failure
from etl.source.slice import Slice
from etl.source.slices import MAX_SLICES, ctid_slices

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
        """Returns what the catalogue says about `schema.table`; see `Session`."""
        state = ""
        try:
            return describe(self.connection, table)
        except psycopg.Error as error:
            state = error.sqlstate or ""
        raise _refused_look(table) if state == _NO_PRIVILEGE else query_failure(state, {"source": table})

    def relations(self) -> tuple[str, ...]:
        """Returns every table and view; see `Session`."""
        state = ""
        try:
            return relations(self.connection)
        except psycopg.Error as error:
            state = error.sqlstate or ""
        raise query_failure(state, {})

    def estimated_rows(self, table: str, where: str) -> int:
        """Returns the planner's estimate; see `Session`."""
        state = ""
        try:
            return estimated_rows(self.connection, f"SELECT FROM {POSTGRES.quoted(table)} WHERE {where}")
        except psycopg.Error as error:
            state = error.sqlstate or ""
        raise query_failure(state, {"source": table})

    def slices(self, table: SourceTable, count: int, key: Sequence[str] = (), where: str = "TRUE") -> tuple[Slice, ...]:
        """Cuts heaps into ranges of pages; views, and rows that meet a condition, into measured ranges of their key."""
        if table.leaves and where == "TRUE":
            return ctid_slices(table.leaves, count)
        rows = self.estimated_rows(table.name, where) if count > 1 else 0
        return key_slices(self.row, table, key, min(count, MAX_SLICES), rows, where)

    def minutes(self, table: str, column: str, where: str, share: float) -> Mapping[int, int]:
        """Counts the rows of each minute, from the column's index where it has one; see `Session`."""
        minute = f"date_trunc('minute', {POSTGRES.quoted(column)})"
        sampled = f"({where}) AND random() < {share:.9f}" if share < 1 else where
        found = self.rows(f"SELECT {minute}, count(*) FROM {POSTGRES.quoted(table)} WHERE {sampled} GROUP BY 1")
        return {int(at.timestamp()) // 60: int(str(rows)) for at, rows in found if isinstance(at, datetime)}

    def width(self, table: SourceTable, columns: Sequence[str]) -> int:
        """Returns the planner's row width; see `Session`."""
        names = ", ".join(POSTGRES.quoted(name) for name in columns)
        state = ""
        try:
            return estimated_width(self.connection, f"SELECT {names} FROM {POSTGRES.quoted(table.name)}")
        except psycopg.Error as error:
            state = error.sqlstate or ""
        raise query_failure(state, {"source": table.name})

    def row(self, sql: str) -> Sequence[object]:
        """Returns the only row of a query; see `Session`."""
        rows = self.rows(sql)
        return rows[0] if rows else ()

    def rows(self, sql: str) -> Sequence[Sequence[object]]:
        """Returns the rows of a query; see `Session`."""
        state = ""
        try:
            return self.connection.execute(sql.encode()).fetchall()
        except psycopg.Error as error:
            state = error.sqlstate or ""
        raise query_failure(state, {})


def _refused_look(table: str) -> PlanRejected:
    return PlanRejected(
        f"The ETL user may not look at {table}.",
        not_done=NO_ROW_READ,
        advice="Grant USAGE on its schema and SELECT on the table to the ETL user.",
    )
