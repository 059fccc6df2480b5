"""Stages slices whose rows Spark reads by JDBC: each goes straight into the very same mask-and-stage task."""

from __future__ import annotations

import pickle
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any, Final

import pyarrow as pa
from py4j.protocol import Py4JError

from etl.attempts import foreseen, transient_again
from etl.errors import NOT_PUBLISHED, SourceUnavailable
from etl.handoff import Slice
from etl.source.governor import Governor
from etl.source.jdbc import jdbc_frame, reading_session
from etl.source.jdbc_postgres import NO_READER
from etl.source.mysql.connect import failure_of
from etl.source.mysql.guard import UNKNOWN_TIME_ZONE, changed
from etl.source.read import query_failure
from etl.source.snapshot import GONE, Snapshot
from etl.source.text_fit import fit_text
from etl.task import StagedSlice, TableTask, stage_batches
from masking.errors import KagemushaError

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

Outcome = StagedSlice | KagemushaError
_OUTCOME: Final = pa.schema([("outcome", pa.binary())])


def jdbc_job(spark: SparkSession, task: TableTask, governor: Governor) -> Callable[[Slice], list[Outcome]]:
    """Gives what stages one slice as one Spark job of one task.

    Between the database and the mask there is no shuffle, cache or checkpoint: a slice's rows pass through the JVM's
    memory into the Python worker. What may pass by itself is tried again.
    """
    own = reading_session(spark)

    def job(part: Slice) -> list[Outcome]:
        try:
            return [transient_again(lambda: _staged(own, task, part, governor))]
        except KagemushaError as error:
            return [error.at(table=task.table, slice=part.number)]

    return job


def _staged(spark: SparkSession, task: TableTask, part: Slice, governor: Governor) -> StagedSlice:
    if governor.lost is not None:  # its job was canceled: another try would read from nobody knows whom
        raise governor.lost.at()
    place = {**task.snapshot.endpoint.place, "source": task.source}
    failure: KagemushaError | None = None
    try:
        frame = jdbc_frame(spark, task.snapshot, task.source, task.columns, part)
        (row,) = frame.mapInArrow(_worker(task, part), "outcome binary").collect()
    except Py4JError as error:  # its text can quote the server's
        failure = told(error, task.snapshot, place)
    if failure is not None:
        raise failure
    outcome: Outcome = pickle.loads(row.outcome)  # noqa: S301  written by our own worker, a few lines below
    if isinstance(outcome, KagemushaError):
        raise outcome
    return outcome


def _worker(task: TableTask, part: Slice) -> Callable[[Iterable[pa.RecordBatch]], Iterable[pa.RecordBatch]]:
    def stage(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        outcome = pickle.dumps(_outcome(task, part, batches))
        yield pa.RecordBatch.from_arrays([pa.array([outcome], pa.binary())], schema=_OUTCOME)

    return stage


def _outcome(task: TableTask, part: Slice, batches: Iterable[pa.RecordBatch]) -> Outcome:
    raw = (fit_text(batch, task.columns) for batch in batches if batch.num_rows)
    try:
        return foreseen(lambda: stage_batches(task, part, raw))
    except KagemushaError as error:
        return error.at(table=task.table, slice=part.number)


def told(error: Py4JError, snapshot: Snapshot, place: dict[str, object]) -> KagemushaError:
    """Gives our error for a job that ended with the driver's: only its error number or SQLSTATE is taken over."""
    cause = _sql_cause(error)
    if cause is None:
        return SourceUnavailable("Spark's job of reading rows failed.", not_done=NOT_PUBLISHED, where=place)
    number, state = int(cause.getErrorCode()), str(cause.getSQLState() or "")
    if state == NO_READER or (snapshot.endpoint.engine == "mysql" and number == UNKNOWN_TIME_ZONE):
        return changed(place, "A connection was not on a reader.")
    if snapshot.endpoint.engine == "mysql":
        return failure_of(number, place)
    if state in GONE:
        return snapshot.lost("a slice could not join it")
    return query_failure(state, place)


def _sql_cause(error: Py4JError) -> Any:  # noqa: ANN401  a Java object
    cause = getattr(error, "java_exception", None)
    while cause is not None:
        if "SQL" in str(cause.getClass().getName()) and hasattr(cause, "getErrorCode"):
            return cause
        cause = cause.getCause()
    return None
