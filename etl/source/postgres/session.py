"""PostgreSQL's control session, in the pinned snapshot."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import datetime

import psycopg

from etl.errors import NO_ROW_READ, PlanRejected
from etl.source.catalogue import SourceTable
from etl.source.dialect import POSTGRES
from etl.source.postgres.catalogue import describe, estimated_rows, estimated_width, relations
from etl.source.postgres.connect import Connection, translated
from etl.source.postgres.failures import query_failure
from etl.source.postgres.key_ranges import key_slices
from etl.source.slice import Slice
from etl.source.slices import MAX_SLICES, ctid_slices

_NO_PRIVILEGE = psycopg.errors.InsufficientPrivilege.sqlstate


class PostgresSession:
    """Asks PostgreSQL for metadata and aggregates; its errors become ours. What each method promises: see `Session`."""

    dialect = POSTGRES

    def __init__(self, connection: Connection) -> None:
        self.connection = connection

    def isolated(self) -> AbstractContextManager[object]:
        """Opens a savepoint: one table's error does not end the transaction of all."""
        return self.connection.transaction()

    def describe(self, table: str) -> SourceTable | None:
        """Returns what the catalogue says about `schema.table`."""
        state = ""
        try:
            return describe(self.connection, table)
        except psycopg.Error as error:
            state = error.sqlstate or ""
        raise _refused_look(table) if state == _NO_PRIVILEGE else query_failure(state, {"source": table})

    def relations(self) -> tuple[str, ...]:
        """Returns every table and view."""
        return translated(lambda: relations(self.connection), {})

    def estimated_rows(self, table: str, where: str) -> int:
        """Returns the planner's estimate."""
        sql = f"SELECT FROM {POSTGRES.quoted(table)} WHERE {where}"
        return translated(lambda: estimated_rows(self.connection, sql), {"source": table})

    def slices(self, table: SourceTable, count: int, key: Sequence[str] = (), where: str = "TRUE") -> tuple[Slice, ...]:
        """Cuts heaps into ranges of pages; views, and rows that meet a condition, into measured ranges of their key."""
        if table.leaves and where == "TRUE":
            return ctid_slices(table.leaves, count)
        rows = self.estimated_rows(table.name, where) if count > 1 else 0
        return key_slices(self.row, table, key, min(count, MAX_SLICES), rows, where)

    def minutes(self, table: str, column: str, where: str, share: float) -> Mapping[int, int]:
        """Counts the rows of each minute, from the column's index where it has one."""
        minute = f"date_trunc('minute', {POSTGRES.quoted(column)})"
        sampled = f"({where}) AND random() < {share:.9f}" if share < 1 else where
        found = self.rows(f"SELECT {minute}, count(*) FROM {POSTGRES.quoted(table)} WHERE {sampled} GROUP BY 1")
        return {int(at.timestamp()) // 60: int(str(rows)) for at, rows in found if isinstance(at, datetime)}

    def width(self, table: SourceTable, columns: Sequence[str]) -> int:
        """Returns the planner's row width."""
        names = ", ".join(POSTGRES.quoted(name) for name in columns)
        sql = f"SELECT {names} FROM {POSTGRES.quoted(table.name)}"
        return translated(lambda: estimated_width(self.connection, sql), {"source": table.name})

    def rows(self, sql: str) -> Sequence[Sequence[object]]:
        """Returns the rows of a query."""
        return translated(lambda: self.connection.execute(sql.encode()).fetchall(), {})

    def row(self, sql: str) -> Sequence[object]:
        """Returns the only row of a query."""
        rows = self.rows(sql)
        return rows[0] if rows else ()


def _refused_look(table: str) -> PlanRejected:
    return PlanRejected(
        f"The ETL user may not look at {table}.",
        not_done=NO_ROW_READ,
        advice="Grant USAGE on its schema and SELECT on the table to the ETL user.",
    )
