"""A worker process does little between two tasks, whatever kind of task they are."""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from zipimport import zipimporter

import pyarrow as pa
import pytest
from pyspark.sql import SparkSession

from etl.stage.worker import give_back, lighten

pytestmark = pytest.mark.stack
TASKS = 4


@dataclass(frozen=True)
class Seen:
    """What a task finds in its process as it begins."""

    process: int
    archives: int
    jars: int
    searched: int
    left_out: int

    @classmethod
    def now(cls) -> Seen:
        """Looks around, then does what every task does."""
        archives = [found for found in sys.path_importer_cache.values() if isinstance(found, zipimporter)]
        jars = [place for place in sys.path if place.endswith(".jar")]
        seen = cls(os.getpid(), len(archives), len(jars), len(gc.get_objects()), gc.get_freeze_count())
        lighten()
        return seen


def test_the_next_task_finds_no_archive_and_few_objects(spark: SparkSession) -> None:
    """After the first task of a process, Python has no archive to read anew, and modules' objects are not searched."""
    context = spark.sparkContext
    seen = [context.parallelize([0], 1).map(lambda _: Seen.now()).collect()[0] for _ in range(TASKS)]
    later = [one for nth, one in enumerate(seen) if one.process in {before.process for before in seen[:nth]}]
    assert later, "every task had a process of its own"
    assert {(one.archives, one.jars) for one in later} == {(0, 0)}
    assert all(one.searched < one.left_out / 10 for one in later)


def test_a_module_in_a_forgotten_archive_is_still_found(spark: SparkSession) -> None:
    """What Spark brought in an archive can be imported after it was forgotten."""

    def imported(_: int) -> str:
        lighten()
        sys.modules.pop("py4j.finalizer", None)
        import py4j.finalizer  # noqa: PLC0415  here, in the worker

        return str(py4j.finalizer.__name__)

    assert spark.sparkContext.parallelize([0], 1).map(imported).collect() == ["py4j.finalizer"]


def test_the_audit_has_the_workers_that_read(spark: SparkSession) -> None:
    """Tasks of a query run in the processes that ran tasks of rows before: none starts and loads everything again."""

    def process(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for _ in batches:
            yield pa.record_batch({"process": pa.array([os.getppid()])})

    (reading,) = set(spark.sparkContext.parallelize([0], 1).map(lambda _: os.getppid()).collect())
    (auditing,) = {row.process for row in spark.range(0, 1, 1, 1).mapInArrow(process, "process long").collect()}
    assert reading == auditing


def test_memory_of_a_large_task_is_given_back(spark: SparkSession) -> None:
    """What one task freed is not the next one's to hold, whichever of Arrow's allocators has it."""

    def grown_by(_: int) -> int:
        before, whole = _resident_mib(), pa.array(range(1_000_000))
        held = [pa.concat_arrays([whole, whole]) for _ in range(16)]  # 256 MiB
        del whole, held
        give_back()
        return _resident_mib() - before

    (grown,) = spark.sparkContext.parallelize([0], 1).map(grown_by).collect()
    assert grown < 64


def _resident_mib() -> int:
    """Returns the memory of this process that is in the machine's (proc(5): statm)."""
    with open("/proc/self/statm", encoding="ascii") as told:  # noqa: PTH123  a worker has no use for a path
        return int(told.read().split()[1]) * os.sysconf("SC_PAGE_SIZE") // 2**20
