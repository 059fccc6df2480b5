"""What tasks share in a worker process: one storage client, and little to do between one task and the next."""

from __future__ import annotations

import ctypes
import gc
import sys
from functools import lru_cache
from typing import Final
from zipimport import zipimporter

import pyarrow as pa

from etl.cloud.storage import StagingBucket, StagingLocation, staging_bucket
from etl.logs import withhold_messages

_WORTH_GIVING_BACK: Final = 64 * 1024 * 1024
"""Bytes that a worker's tasks have held at once before it takes the time to give them back."""


def worker_stage(target: StagingLocation) -> StagingBucket:
    """Returns this process's client of a staging bucket: making one costs more than reading a small file."""
    if _is_task():
        _withhold_once()
        give_back()
    lighten()
    return staging_bucket(target)


def _is_task() -> bool:
    """Tells whether this process runs a task of Spark's, which then is loaded; a driver is none."""
    spark = sys.modules.get("pyspark")
    return spark is not None and spark.TaskContext.get() is not None


@lru_cache(maxsize=1)
def _withhold_once() -> None:
    """Lets a worker write no foreign message; the driver's process has its own way (`etl.entry`)."""
    withhold_messages()


def lighten() -> None:
    """Spares this process what Spark has a worker do around each task, which takes longer than many a task.

    Before a task Python looks at its path anew, and before 3.12 reads the directory of every archive there, once for
    each package in it (CPython gh-103200); Spark puts three on the path, one of them of Java alone. They are forgotten:
    for a module that is not there yet Python opens them again. After a task all objects are searched for unreachable
    ones; those that came with modules stay to the end, so they are left out of the search.
    """
    sys.path[:] = [place for place in sys.path if not place.endswith(".jar")]
    known = sys.path_importer_cache
    for place in [place for place, finder in known.items() if isinstance(finder, zipimporter)]:
        known.pop(place, None)
    _leave_out(len(sys.modules))


def give_back() -> None:
    """Returns to the system what earlier tasks have freed, so that a worker does not grow from task to task."""
    pool = pa.default_memory_pool()
    if (pool.max_memory() or 0) >= _WORTH_GIVING_BACK:
        pool.release_unused()
        trim = getattr(ctypes.CDLL(None), "malloc_trim", None)  # glibc has it
        if trim is not None:
            trim(0)


@lru_cache
def _leave_out(modules: int) -> None:
    """Leaves all objects of now out of later searches: once, and again whenever more modules have come."""
    del modules
    gc.freeze()
