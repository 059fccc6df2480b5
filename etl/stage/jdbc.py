"""Stages slices whose rows Spark reads by JDBC: each goes straight into the very same mask-and-stage task."""

from __future__ import annotations

import pickle
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from typing import TYPE_CHECKING, Final

import pyarrow as pa
from py4j.protocol import Py4JError

from etl.retries import retry_transient, without_foreign_message
from etl.source import Governor, Slice
from etl.source.jdbc import fit_text, jdbc_failure, jdbc_frame, reading_session
from etl.stage.dispatch import SliceOutcome
from etl.stage.task import StagedSlice, TableTask, stage_batches
from masking.errors import KagemushaError

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

_OUTCOME: Final = pa.schema([("outcome", pa.binary())])


def jdbc_job(spark: SparkSession, task: TableTask, governor: Governor) -> Callable[[Slice], list[SliceOutcome]]:
    """Returns what stages one slice as one Spark job of one task.

    Between the database and the mask there is no shuffle, cache or checkpoint: a slice's rows pass through the JVM's
    memory into the Python worker. What may pass by itself is tried again.
    """
    own = reading_session(spark)

    def job(part: Slice) -> list[SliceOutcome]:
        try:
            return [retry_transient(lambda: _staged(own, task, part, governor))]
        except KagemushaError as error:
            return [error.at(table=task.table, slice=part.number)]

    return job


def _staged(spark: SparkSession, task: TableTask, part: Slice, governor: Governor) -> StagedSlice:
    if governor.lost is not None:  # its job was canceled: another try would read from nobody knows whom
        raise governor.lost.at()
    place = {**task.snapshot.endpoint.place, "source": task.source}
    failure: KagemushaError | None = None
    try:
        frame = jdbc_frame(spark, task.snapshot, task.source, task.columns, part, task.definition)
        (row,) = frame.mapInArrow(_worker(task, part), "outcome binary").collect()
    except Py4JError as error:  # its text can quote the server's
        failure = jdbc_failure(error, task.snapshot, place)
    if failure is not None:
        raise failure
    outcome: SliceOutcome = pickle.loads(row.outcome)  # noqa: S301  written by our own worker, a few lines below
    if isinstance(outcome, KagemushaError):
        raise outcome
    return outcome


def _worker(task: TableTask, part: Slice) -> Callable[[Iterable[pa.RecordBatch]], Iterable[pa.RecordBatch]]:
    def stage(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        outcome = pickle.dumps(_outcome(task, part, batches))
        yield pa.RecordBatch.from_arrays([pa.array([outcome], pa.binary())], schema=_OUTCOME)

    return stage


def _outcome(task: TableTask, part: Slice, batches: Iterable[pa.RecordBatch]) -> SliceOutcome:
    raw = map(partial(fit_text, columns=task.columns), filter(len, batches))
    try:
        return without_foreign_message(lambda: stage_batches(task, part, raw))
    except KagemushaError as error:
        return error.at(table=task.table, slice=part.number)
