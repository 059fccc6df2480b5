"""Reads one slice from PostgreSQL as Arrow batches, inside a worker, under the pinned snapshot."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final

import pyarrow as pa
from adbc_driver_postgresql import dbapi

from etl.errors import NOT_PUBLISHED, SourceUnavailable, StatementTimedOut
from etl.source.dialect import POSTGRES, ReadColumn
from etl.source.exact_types import fit
from etl.source.guard import still_the_reader
from etl.source.postgres.connect import arrow_connection
from etl.source.postgres.guard import prove_reader
from etl.source.postgres.snapshot import GONE
from etl.source.session import ReadFailed
from etl.source.snapshot import Snapshot
from masking.errors import KagemushaError

_TRANSIENT_STATES: Final = ("08", "40", "53", "57", "58")
"""SQLSTATE classes that another try may pass: connection, rollback, resources, operator intervention, system error.

A standby cancels a query with 40001 when it must replay what the query stands in the way of."""
_CANCELED: Final = "57014"
"""What a statement timeout and a person who cancels have in common; the time tells them apart in every language."""


def read_slice(snapshot: Snapshot, source: str, columns: Sequence[ReadColumn], where: str) -> Iterator[pa.RecordBatch]:
    """Yields the rows of a slice as record batches of the contract's Arrow types.

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
    """Returns the reader that raises ADBC's own errors: the public one around it loses the SQLSTATE in mid-stream."""
    public = cursor.fetch_record_batch()
    found: Iterable[pa.RecordBatch] = getattr(getattr(cursor, "_results", None), "reader", public)
    return found


def _only_row(connection: dbapi.Connection, sql: str) -> Sequence[object]:
    with connection.cursor() as cursor:
        cursor.execute(sql)
        row: Sequence[object] = cursor.fetchone()
        return row


def query_failure(state: str, place: Mapping[str, object], *, timed_out: bool = False) -> KagemushaError:
    """Returns our error for a query that failed with a SQLSTATE; none, or one that may pass, means run again."""
    if state == _CANCELED and timed_out:
        return StatementTimedOut("A query reached its time limit.", not_done=NOT_PUBLISHED, where=place)
    if not state or state.startswith(_TRANSIENT_STATES):
        reason = f"SQLSTATE {state}" if state else "connection or snapshot lost"
        return SourceUnavailable(f"The database ended a query ({reason}).", not_done=NOT_PUBLISHED, where=place)
    return ReadFailed(f"The database refused a query (SQLSTATE {state}).", not_done=NOT_PUBLISHED, where=place)
