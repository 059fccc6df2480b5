"""Reads one slice as Arrow batches of exactly the contract's types, inside a worker, under the pinned snapshot."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import date
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc
from adbc_driver_postgresql import dbapi

from etl.errors import NOT_PUBLISHED, ReadFailed, SourceUnavailable, StatementTimedOut, ValuesUnfit
from etl.source.connect import arrow_connection
from etl.source.dialect import POSTGRES, ReadColumn
from etl.source.guard import prove_reader, still_the_reader
from etl.source.snapshot import GONE, Snapshot
from masking.errors import KagemushaError

_TRANSIENT_STATES: Final = ("08", "40", "53", "57", "58")
"""SQLSTATE classes that another try may pass: connection, rollback, resources, operator intervention, system error.

A standby cancels a query with 40001 when it must replay what the query stands in the way of."""
_CANCELED: Final = "57014"
"""What a statement timeout and a person who cancels have in common; the time tells them apart in every language."""
_FIRST_DATE: Final = date(1, 1, 1)
_LAST_DATE: Final = date(9999, 12, 31)
_MICROSECONDS_A_DAY: Final = 86_400_000_000


def read_slice(snapshot: Snapshot, source: str, columns: Sequence[ReadColumn], where: str) -> Iterator[pa.RecordBatch]:
    """Gives the rows of a slice as record batches of the contract's Arrow types.

    Every connection proves again that it is on the pinned reader before it selects.

    Raises:
        ReaderChanged: the instance has become a writer, or is another one.
        SnapshotLost: the snapshot is gone.
        SourceUnavailable: the server ended the session or the query; another try may pass.
        StatementTimedOut: the query took too long.
        ReadFailed: the server refused the query.
        ValuesUnfit: values do not fit the contract's type exactly.
    """
    place = {**snapshot.endpoint.place, "source": source}
    with arrow_connection(snapshot.endpoint) as connection:
        failure: KagemushaError | None = None
        joined = False
        begun = time.monotonic()
        try:
            _join(connection, snapshot)
            joined = True
            begun = time.monotonic()
            with connection.cursor() as cursor:
                cursor.execute(POSTGRES.select(source, columns, where))
                for batch in _batches(cursor):
                    if batch.num_rows:
                        yield fit(batch, columns)
        except dbapi.Error as error:
            state = str(getattr(error, "sqlstate", "") or "")
            seconds = time.monotonic() - begun
            if not joined and state in GONE:
                failure = snapshot.lost("the session that held it has ended")
            else:
                failure = query_failure(state, place, timed_out=seconds >= snapshot.endpoint.statement_seconds)
        except (pa.ArrowException, OSError):  # how ADBC reports a stream that the server canceled
            failure = SourceUnavailable("The stream of rows broke off.", not_done=NOT_PUBLISHED, where=place)
        if failure is not None:
            raise failure


def _join(connection: dbapi.Connection, snapshot: Snapshot) -> None:
    """Proves that the session is on the pinned reader still, and lets it see the snapshot's rows and nothing else."""
    still_the_reader(
        lambda: prove_reader(lambda sql: _only_row(connection, sql), snapshot.endpoint),
        snapshot.endpoint,
        snapshot.reader,
    )
    with connection.cursor() as cursor:
        for statement in snapshot.join_sql:
            cursor.execute(statement)


def _batches(cursor: dbapi.Cursor) -> Iterable[pa.RecordBatch]:
    """Gives the reader that raises ADBC's own errors: the public one around it loses the SQLSTATE in mid-stream."""
    public = cursor.fetch_record_batch()
    found: Iterable[pa.RecordBatch] = getattr(getattr(cursor, "_results", None), "reader", public)
    return found


def _only_row(connection: dbapi.Connection, sql: str) -> Sequence[object]:
    with connection.cursor() as cursor:
        cursor.execute(sql)
        row: Sequence[object] = cursor.fetchone()
        return row


def query_failure(state: str, place: Mapping[str, object], *, timed_out: bool = False) -> KagemushaError:
    """Gives our error for a query that failed with a SQLSTATE; none, or one that may pass, means run again."""
    if state == _CANCELED and timed_out:
        return StatementTimedOut("A query reached its time limit.", not_done=NOT_PUBLISHED, where=place)
    if not state or state.startswith(_TRANSIENT_STATES):
        reason = f"SQLSTATE {state}" if state else "connection or snapshot lost"
        return SourceUnavailable(f"The database ended a query ({reason}).", not_done=NOT_PUBLISHED, where=place)
    return ReadFailed(f"The database refused a query (SQLSTATE {state}).", not_done=NOT_PUBLISHED, where=place)


def fit(batch: pa.RecordBatch, columns: Sequence[ReadColumn]) -> pa.RecordBatch:
    """Gives the batch with every column in the contract's Arrow type, or refuses by name; never a silent change.

    Raises:
        ValuesUnfit: a numeric has more digits than the contract's type or is NaN or infinite, or a date or timestamp is
            infinite or outside the years 1 to 9999 that BigQuery holds.
    """
    arrays = [_fit_column(batch.column(n), column) for n, column in enumerate(columns)]
    return pa.RecordBatch.from_arrays(arrays, names=[column.name for column in columns])


def _fit_column(array: pa.Array, column: ReadColumn) -> pa.Array:
    target = column.type.arrow
    if isinstance(array, pa.ExtensionArray):
        array = array.storage  # ADBC hands NUMERIC over as text in an opaque extension type
    if array.type != target:
        fitted = None
        with suppress(pa.ArrowException):  # Arrow's message quotes the value
            fitted = array.cast(target)
        if fitted is None:
            raise ValuesUnfit(
                f"Values of {column.name} do not fit {column.type} (too many digits, not a number, or infinite).",
                not_done=NOT_PUBLISHED,
                where={"column": column.name, "rows": len(array)},
            )
        array = fitted
    if pa.types.is_temporal(target):
        _refuse_out_of_range(array, column)
    return array


def _refuse_out_of_range(array: pa.Array, column: ReadColumn) -> None:
    a_day = 1 if pa.types.is_date(array.type) else _MICROSECONDS_A_DAY
    low, high = _days(_FIRST_DATE) * a_day, (_days(_LAST_DATE) + 1) * a_day - 1
    numbers = array.cast(pa.int32() if pa.types.is_date(array.type) else pa.int64())
    outside = pc.sum(pc.or_(pc.less(numbers, low), pc.greater(numbers, high))).as_py() or 0
    if outside:
        raise ValuesUnfit(
            f"{outside} values of {column.name} are infinite or outside the years 1 to 9999.",
            not_done=NOT_PUBLISHED,
            where={"column": column.name},
        )


def _days(day: date) -> int:
    return (day - date(1970, 1, 1)).days
