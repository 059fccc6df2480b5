"""MySQL's control session."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext, suppress

import pymysql

from etl.errors import NO_ROW_READ
from etl.source.catalogue import Definition, SourceTable
from etl.source.dialect import MYSQL
from etl.source.endpoint import Endpoint
from etl.source.guard import EndpointRefused
from etl.source.mysql.catalogue import describe, key_column, relations
from etl.source.mysql.connect import Connection, translated
from etl.source.mysql.definition import definitions
from etl.source.mysql.failures import READ_ONLY, UNEXPLAINED, UNKNOWN_TIME_ZONE, number_of, query_failure
from etl.source.mysql.guard import (
    AURORA_WRITER_SQL,
    MAY_WRITE_SQL,
    VARIABLES_SQL,
    MySqlReader,
    prove_reader,
    session_sql,
)
from etl.source.mysql.key_ranges import key_slices, literal, measured_bounds
from etl.source.slice import Slice
from etl.source.slices import MAX_SLICES, whole_table


class MySqlSession:
    """Asks MySQL for metadata and aggregates; its errors become ours. What each method promises: see `Session`."""

    dialect = MYSQL

    def __init__(self, connection: Connection, reader: MySqlReader, server: str = "") -> None:
        self._connection = connection
        self._reader = reader
        self._server = server

    def isolated(self) -> AbstractContextManager[object]:
        """Does nothing: a failed query of MySQL ends nothing but itself."""
        return nullcontext()

    def describe(self, table: str) -> SourceTable | None:
        """Returns what the catalogue says about `schema.table`."""
        return describe(self._ask, table, mariadb=self._reader.mariadb)

    def definition(self, table: str) -> Definition | None:
        """Returns what the table is now; there is no snapshot that could know another one."""
        return definitions(self._ask, (table,), self._server)[table]

    def relations(self) -> tuple[str, ...]:
        """Returns every table and view."""
        return relations(self._ask)

    def estimated_rows(self, table: str, where: str) -> int:
        """Returns the optimizer's estimate, from a few pages of the index; 0 of a view that it does not explain."""

        def ask() -> int:
            with self._connection.cursor(pymysql.cursors.DictCursor) as cursor:
                try:
                    cursor.execute(f"EXPLAIN SELECT 1 FROM {MYSQL.quoted(table)} WHERE {where}")
                except pymysql.Error as error:
                    if number_of(error) == UNEXPLAINED:
                        return 0
                    raise
                return max((int(row.get("rows") or 0) for row in cursor.fetchall()), default=0)

        return translated(ask, {"source": table})

    def slices(self, table: SourceTable, count: int, key: Sequence[str] = (), where: str = "TRUE") -> tuple[Slice, ...]:
        """Cuts a table into ranges of its own key by measured bounds; what has none, or is small, stays whole."""
        del key  # a view's key has no index to walk, and MySQL's estimates of views say nothing
        if where != "TRUE":  # rows of one day tend to be neighbors in the key: its ranges would not part them
            return (Slice(0, where),)
        column = key_column(table) if table.kind == "r" and count > 1 else None
        return whole_table() if column is None else self._ranges(table, column, min(count, MAX_SLICES))

    def minutes(self, table: str, column: str, where: str, share: float) -> Mapping[int, int]:
        """Counts the rows of each minute, from the column's index where it has one."""
        minute = f"floor(unix_timestamp({MYSQL.column(column)}) / 60)"
        sampled = f"({where}) AND rand() < {share:.9f}" if share < 1 else where
        found = self.rows(f"SELECT {minute}, count(*) FROM {MYSQL.quoted(table)} WHERE {sampled} GROUP BY 1")
        return {int(str(at)): int(str(rows)) for at, rows in found if at is not None}

    def width(self, table: SourceTable, columns: Sequence[str]) -> int:
        """Returns the columns' share of the table's bytes a row, as if all columns were equally wide."""
        rows = self.estimated_rows(table.name, "TRUE")
        return table.bytes * len(columns) // max(1, rows * len(table.columns))

    def rows(self, sql: str) -> Sequence[Sequence[object]]:
        """Returns the rows of a query."""
        return self._ask(sql, ())

    def row(self, sql: str) -> Sequence[object]:
        """Returns the only row of a query."""
        rows = self.rows(sql)
        return rows[0] if rows else ()

    def _ranges(self, table: SourceTable, column: str, count: int) -> tuple[Slice, ...]:
        """Cuts a table by a column of its key: whole numbers by estimates, any other type by walking the index."""
        name, source = MYSQL.column(column), MYSQL.quoted(table.name)
        low, high = self.row(f"SELECT min({name}), max({name}) FROM {source}")
        most = max(1, -(-self.estimated_rows(table.name, "TRUE") // count))
        if isinstance(low, int) and isinstance(high, int):

            def rows(first: int, end: int) -> int:
                return self.estimated_rows(table.name, f"{name} >= {first} AND {name} < {end}")

            return key_slices(column, measured_bounds(low, high, rows, most))
        with suppress(TypeError):  # a key without a literal
            return key_slices(column, list(self._walked(name, source, most)))
        return whole_table()

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
        def ask() -> Sequence[Sequence[object]]:
            with self._connection.cursor() as cursor:
                cursor.execute(sql, values or None)
                return list(cursor.fetchall())

        return translated(ask, {})


def prepare_session(connection: Connection, endpoint: Endpoint, allowed_instances: Sequence[str] = ()) -> MySqlReader:
    """Proves that a connection is on a reader and prepares its session: UTC, read-only, a time limit.

    Raises:
        EndpointRefused: see `prove_reader`.
        SourceUnavailable, ReadFailed: the server did not answer.
    """
    number = 0
    try:
        with connection.cursor() as cursor:
            cursor.execute(VARIABLES_SQL)
            variables = {str(name).lower(): str(value) for name, value in cursor.fetchall()}
            may_write = _may_write(cursor)
            is_writer = False
            if "aurora_server_id" in variables:
                cursor.execute(AURORA_WRITER_SQL)
                is_writer = cursor.fetchone() != (0,)
            reader = prove_reader(variables, endpoint, allowed_instances, may_write=may_write, is_writer=is_writer)
            cursor.execute(session_sql(reader, endpoint.statement_seconds))
            return reader
    except pymysql.Error as error:
        number = number_of(error)
    if number == UNKNOWN_TIME_ZONE:
        raise EndpointRefused("Connected to the writer.", not_done=NO_ROW_READ, where=endpoint.place)
    raise query_failure(number, endpoint.place)


def _may_write(cursor: pymysql.cursors.Cursor) -> bool:
    """Tells whether the server would let the session write, `read_only` or not; nothing is written to find out."""
    try:
        cursor.execute(MAY_WRITE_SQL)
    except pymysql.Error as error:
        if number_of(error) not in READ_ONLY:
            raise
        return False
    cursor.execute("ROLLBACK")
    return True
