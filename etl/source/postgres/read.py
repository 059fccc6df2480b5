"""Reads one slice from PostgreSQL as Arrow batches, inside a worker, in the pinned snapshot."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from functools import partial

import pyarrow as pa
from adbc_driver_postgresql import dbapi

from etl.errors import NOT_PUBLISHED, SourceUnavailable
from etl.source.catalogue import Definition, source_changed
from etl.source.dialect import POSTGRES, ReadColumn
from etl.source.exact_types import fit
from etl.source.guard import still_the_reader
from etl.source.postgres.connect import arrow_connection
from etl.source.postgres.definition import GONE_RELATION, first_read_sql
from etl.source.postgres.failures import GONE, query_failure
from etl.source.postgres.guard import prove_reader
from etl.source.snapshot import Snapshot
from masking.errors import KagemushaError


def read_slice(
    snapshot: Snapshot,
    source: str,
    columns: Sequence[ReadColumn],
    where: str,
    definition: Definition | None = None,
) -> Iterator[pa.RecordBatch]:
    """Yields the rows of a slice as record batches of the contract's Arrow types.

    Every connection proves again that it is on the pinned reader, and, with a lock on it, that the relation is still
    the planned one, before it selects.

    Raises:
        ReaderChanged: the instance has become a writer, or is another one.
        SnapshotLost: the snapshot is gone.
        SourceChanged: the relation is no longer what the definition says.
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
            if definition is not None:
                _prove_definition(connection, definition)
            with connection.cursor() as cursor:
                cursor.execute(POSTGRES.select(source, columns, where))
                yield from map(partial(fit, columns=columns), filter(len, _batches(cursor)))  # and keeps none of them
        except dbapi.Error as error:
            state = str(getattr(error, "sqlstate", "") or "")
            seconds = time.monotonic() - begun
            if not joined and state in GONE:
                failure = snapshot.lost("the session that held it has ended")
            elif definition is not None and state in GONE_RELATION:
                failure = source_changed(source, "Its name leads nowhere")
            else:
                failure = query_failure(state, place, timed_out=seconds >= snapshot.endpoint.statement_seconds)
        except (pa.ArrowException, OSError):  # how ADBC reports a stream that the server canceled
            failure = SourceUnavailable("The stream of rows broke off.", not_done=NOT_PUBLISHED, where=place)
        if failure is not None:
            raise failure


def _join(connection: dbapi.Connection, snapshot: Snapshot) -> None:
    """Proves that the session is still on the pinned reader, and lets it see the snapshot's rows and nothing else."""
    still_the_reader(
        lambda: prove_reader(lambda sql: _only_row(connection, sql), snapshot.endpoint),
        snapshot.endpoint,
        snapshot.reader,
    )
    with connection.cursor() as cursor:
        for statement in snapshot.join_sql:
            cursor.execute(statement)


def _prove_definition(connection: dbapi.Connection, definition: Definition) -> None:
    """Locks the relation for the transaction, and proves that it is the planned one."""
    identity, digest, _ = _only_row(connection, first_read_sql(definition))
    definition.refuse_other(replace(definition, identity=str(identity), digest=str(digest)))


def _batches(cursor: dbapi.Cursor) -> Iterable[pa.RecordBatch]:
    """Returns the reader that raises ADBC's own errors: its public wrapper loses the SQLSTATE in mid-stream."""
    public = cursor.fetch_record_batch()
    found: Iterable[pa.RecordBatch] = getattr(getattr(cursor, "_results", None), "reader", public)
    return found


def _only_row(connection: dbapi.Connection, sql: str) -> Sequence[object]:
    with connection.cursor() as cursor:
        cursor.execute(sql)
        row: Sequence[object] = cursor.fetchone()
        return row
