"""MySQL's control session."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress

import pymysql

from etl.source.catalogue import SourceTable
from etl.source.dialect import MYSQL
from etl.source.mysql.catalogue import describe, key_column, relations
from etl.source.mysql.connect import Connection, control_connection, failure_of, number_of
from etl.source.mysql.guard import MySqlReader, still_prepared
from etl.source.mysql.key_ranges import key_slices, literal, measured_bounds
from etl.source.slice import Slice
from etl.source.slices import MAX_SLICES, whole
from etl.source.snapshot import Snapshot


class MySqlSession:
    """Asks MySQL for metadata and aggregates; its errors become ours."""

    dialect = MYSQL

    def __init__(self, connection: Connection, reader: MySqlReader) -> None:
        self._connection = connection
        self._reader = reader

    def isolated(self) -> AbstractContextManager[object]:
        """Nothing to keep apart: a failed query ends nothing but itself."""
        return nullcontext()

    def describe(self, table: str) -> SourceTable | None:
        """Returns what the catalogue says about `schema.table`; see `Session`."""
        return describe(self._ask, table, mariadb=self._reader.mariadb)

    def relations(self) -> tuple[str, ...]:
        """Returns every table and view; see `Session`."""
        return relations(self._ask)

    def estimated_rows(self, table: str, where: str) -> int:
        """Returns the optimizer's estimate, which it takes from a few pages of the index; see `Session`."""
        number = 0
        try:
            with self._connection.cursor(pymysql.cursors.DictCursor) as cursor:
                cursor.execute(f"EXPLAIN SELECT 1 FROM {MYSQL.quoted(table)} WHERE {where}")
                return max((int(row.get("rows") or 0) for row in cursor.fetchall()), default=0)
        except pymysql.Error as error:
            number = number_of(error)
        raise failure_of(number, {"source": table})

    def slices(self, table: SourceTable, count: int, key: Sequence[str] = (), where: str = "TRUE") -> tuple[Slice, ...]:
        """Cuts a table into ranges of its own key by measured bounds; what has none, or is small, stays whole."""
        del key  # a view's key has no index to walk, and MySQL's estimates of views say nothing
        if where != "TRUE":
            return (
                Slice(0, where),
            )  # rows of one day tend to be neighbors in the key: ranges of it would not part them
        first = key_column(table) if table.kind == "r" and count > 1 else None
        if first is None:
            return whole()
        name, source = MYSQL.quoted(first), MYSQL.quoted(table.name)
        low, high = self.row(f"SELECT min({name}), max({name}) FROM {source}")
        most = max(1, -(-self.estimated_rows(table.name, "TRUE") // min(count, MAX_SLICES)))
        if isinstance(low, int) and isinstance(high, int):

            def rows(first: int, end: int) -> int:
                return self.estimated_rows(table.name, f"{name} >= {first} AND {name} < {end}")

            return key_slices(first, measured_bounds(low, high, rows, most))
        with suppress(TypeError):
            return key_slices(first, list(self._walked(name, source, most)))
        return whole()

    def minutes(self, table: str, column: str, where: str, share: float) -> Mapping[int, int]:
        """Counts the rows of each minute, from the column's index where it has one; see `Session`."""
        minute = f"floor(unix_timestamp({MYSQL.quoted(column)}) / 60)"
        sampled = f"({where}) AND rand() < {share:.9f}" if share < 1 else where
        found = self.rows(f"SELECT {minute}, count(*) FROM {MYSQL.quoted(table)} WHERE {sampled} GROUP BY 1")
        return {int(str(at)): int(str(rows)) for at, rows in found if at is not None}

    def width(self, table: SourceTable, columns: Sequence[str]) -> int:
        """Returns the table's bytes a row, less what other columns are likely to have; see `Session`."""
        rows = self.estimated_rows(table.name, "TRUE")
        return table.bytes * len(columns) // max(1, rows * len(table.columns))

    def rows(self, sql: str) -> Sequence[Sequence[object]]:
        """Returns the rows of a query; see `Session`."""
        return self._ask(sql, ())

    def row(self, sql: str) -> Sequence[object]:
        """Returns the only row of a query; see `Session`."""
        rows = self.rows(sql)
        return rows[0] if rows else ()

    def _walked(self, name: str, source: str, step: int) -> Iterator[object]:
        """Yields every `step`-th key in its own order, by walking the index."""
        after = "TRUE"
        while True:
            found = self._ask(f"SELECT {name} FROM {source} WHERE {after} ORDER BY {name} LIMIT 1 OFFSET {step}", ())
            if not found:
                return
            yield found[0][0]
            after = f"{name} > {literal(found[0][0])}"

    def _ask(self, sql: str, values: Sequence[object]) -> Sequence[Sequence[object]]:
        number = 0
        try:
            with self._connection.cursor() as cursor:
                cursor.execute(sql, values or None)
                return list(cursor.fetchall())
        except pymysql.Error as error:
            number = number_of(error)
        raise failure_of(number, {})


@contextmanager
def joined_reader(snapshot: Snapshot) -> Iterator[MySqlSession]:
    """Opens another control session, on any reader that may be read; it proves the reader again.

    Raises:
        ReaderChanged: it is on a writer or another instance now.
        CredentialsRefused, SourceUnavailable: see `control_connection`.
    """
    with control_connection(snapshot.endpoint) as connection:
        allowed = snapshot.reader.allowed if isinstance(snapshot.reader, MySqlReader) else ()
        yield MySqlSession(connection, still_prepared(connection, snapshot.endpoint, allowed))
