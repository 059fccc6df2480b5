"""Watches that a cluster keeps workers for a run: Spark itself would wait for ever, and the run's leases with it."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Final

from etl.spark import on_cluster

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

_EVERY_SECONDS: Final = 2.0


def executors(spark: SparkSession) -> int:
    """Returns how many executors are there, the driver not counted."""
    return int(spark.sparkContext._jsc.sc().getExecutorMemoryStatus().size()) - 1  # noqa: SLF001  Python has no other way


@contextmanager
def watched_workers(spark: SparkSession, wait_seconds: float, every: float = _EVERY_SECONDS) -> Iterator[None]:
    """Cancels Spark's jobs once there has been no executor for so long; nothing is watched where Spark runs here.

    Args:
        spark: the session.
        wait_seconds: how long the cluster may take to give us a worker again.
        every: seconds between two looks.
    """
    if not on_cluster():
        yield
        return
    over = threading.Event()
    watcher = threading.Thread(target=_watch, args=(spark, wait_seconds, every, over), name="workers", daemon=True)
    watcher.start()
    try:
        yield
    finally:
        over.set()
        watcher.join()


def _watch(spark: SparkSession, wait_seconds: float, every: float, over: threading.Event) -> None:
    last_seen = time.monotonic()
    while not over.wait(every):
        with suppress(Exception):  # a context that stops ends its jobs itself
            if executors(spark) or _idle(spark):
                last_seen = time.monotonic()
            elif time.monotonic() - last_seen > wait_seconds:
                spark.sparkContext.cancelAllJobs()


def _idle(spark: SparkSession) -> bool:
    """Tells whether no job waits: autoscaling takes workers away that have nothing to do."""
    return not spark.sparkContext.statusTracker().getActiveJobsIds()
