"""PostgreSQL's control session, in the pinned snapshot."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import replace
from datetime import UTC, datetime

import psycopg

from etl.errors import NO_ROW_READ, PlanRejected
from etl.source.catalogue import Definition, SourceTable, source_changed
from etl.source.dialect import POSTGRES
from etl.source.postgres.catalogue import describe, estimated_rows, estimated_width, relations
from etl.source.postgres.connect import Connection, translated
from etl.source.postgres.definition import definitions
from etl.source.postgres.failures import query_failure
from etl.source.postgres.key_ranges import key_slices
from etl.source.slice import Slice
from etl.source.slices import MAX_SLICES, ctid_slices, whole_table

_NO_PRIVILEGE = psycopg.errors.InsufficientPrivilege.sqlstate


class PostgresSession:
    """Asks PostgreSQL for metadata and aggregates; its errors become ours. What each method promises: see `Session`."""

    dialect = POSTGRES

    def __init__(
        self, connection: Connection, present: Mapping[str, Definition | None] | None = None, server: str = ""
    ) -> None:
        """Begins.

        Args:
            connection: in the snapshot.
            present: what relations were right before the connection joined the snapshot, by a catalogue of then.
            server: names the server in what definitions say of their origin.
        """
        self.connection = connection
        self._server = server
        self._present = {name: self._named(one) for name, one in (present or {}).items()}
        self._known = self._definitions(tuple(self._present))

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

    def definition(self, table: str) -> Definition | None:
        """Returns what the relation is, where the snapshot's catalogue and the present one agree."""
        if table not in self._known:
            return self._definitions([table])[table]
        if self._known[table] != self._present[table]:
            raise source_changed(table, "It was altered, replaced, truncated or rewritten")
        return self._known[table]

    def relations(self) -> tuple[str, ...]:
        """Returns every table and view."""
        return translated(lambda: relations(self.connection), {})

    def estimated_rows(self, table: str, where: str) -> int:
        """Returns the planner's estimate."""
        sql = f"SELECT FROM {POSTGRES.quoted(table)} WHERE {where}"
        return translated(lambda: estimated_rows(self.connection, sql), {"source": table})

    def slices(self, table: SourceTable, count: int, key: Sequence[str] = (), where: str = "TRUE") -> tuple[Slice, ...]:
        """Cuts heaps into ranges of pages; views, and rows that meet a condition, into measured ranges of their key."""
        if table.leaves and table.paged and where == "TRUE":
            pages = ctid_slices(table.leaves, count)
            return pages if len(pages) > 1 else whole_table()
        rows = self.estimated_rows(table.name, where) if count > 1 else 0
        return key_slices(self.row, table, key, min(count, MAX_SLICES), rows, where)

    def minutes(self, table: str, column: str, where: str, share: float) -> Mapping[int, int]:
        """Counts the rows of each minute, from the column's index where it has one."""
        minute = f"date_trunc('minute', {POSTGRES.column(column)})"
        sampled = f"({where}) AND random() < {share:.9f}" if share < 1 else where
        found = self.rows(f"SELECT {minute}, count(*) FROM {POSTGRES.quoted(table)} WHERE {sampled} GROUP BY 1")
        return {_minute(at): int(str(rows)) for at, rows in found if isinstance(at, datetime)}

    def width(self, table: SourceTable, columns: Sequence[str]) -> int:
        """Returns the planner's row width."""
        names = ", ".join(POSTGRES.column(name) for name in columns)
        sql = f"SELECT {names} FROM {POSTGRES.quoted(table.name)}"
        return translated(lambda: estimated_width(self.connection, sql), {"source": table.name})

    def rows(self, sql: str) -> Sequence[Sequence[object]]:
        """Returns the rows of a query."""
        return translated(lambda: self.connection.execute(sql.encode()).fetchall(), {})

    def _definitions(self, tables: Sequence[str]) -> Mapping[str, Definition | None]:
        return {name: self._named(one) for name, one in definitions(self.rows, tables).items()}

    def _named(self, found: Definition | None) -> Definition | None:
        return replace(found, server=self._server) if found else None

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


def _minute(at: datetime) -> int:
    """Returns the minutes since 1970 of an instant, or of a clock's time as if the clock were in UTC."""
    return int((at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp()) // 60
