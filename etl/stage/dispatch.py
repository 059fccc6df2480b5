"""Slices become Spark jobs of one task each, as many at once as the governor gives turns to, over all tables of a run.

A job of all slices would start as many as there are cores, and nobody could take a turn back from it.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from typing import TYPE_CHECKING, Final

from etl.errors import TRANSIENT
from etl.source import Governor, Slice
from etl.stage.task import StagedSlice
from masking.errors import KagemushaError

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

SliceOutcome = StagedSlice | KagemushaError
_LOOK_SECONDS: Final = 0.5


def dispatched(
    spark: SparkSession,
    table: str,
    parts: Sequence[Slice],
    job: Callable[[Slice], list[SliceOutcome]],
    governor: Governor,
) -> list[SliceOutcome]:
    """Returns what every slice came to; once one has failed, none of its table is begun any more.

    Args:
        spark: the session.
        table: names the scheduler's pool, so that tables share the cores evenly.
        parts: the slices.
        job: runs a slice as a Spark job and gives what its worker made of it, which may be an error.
        governor: gives the turns, and is told of what went wrong.
    """
    context = spark.sparkContext
    group = f"stage {table} {id(parts)}"
    failed = threading.Event()

    def one(part: Slice) -> list[SliceOutcome]:
        with governor.turn():
            if failed.is_set():
                return []
            context.setLocalProperty("spark.scheduler.pool", table)
            context.setJobGroup(group, table, interruptOnCancel=True)
            outcomes = job(part)
        if any(_was_hard(outcome) for outcome in outcomes):
            governor.strained("slices fail")
        return outcomes

    def tried(part: Slice) -> list[SliceOutcome]:
        try:
            outcomes = one(part)
        except Exception:
            failed.set()
            if governor.lost is None:
                raise
            outcomes = [governor.lost.at(table=table)]  # the job was canceled for that
        if any(isinstance(outcome, KagemushaError) for outcome in outcomes):
            failed.set()
        return outcomes

    with ThreadPoolExecutor(min(len(parts), governor.most), thread_name_prefix="slice") as threads:
        begun = [threads.submit(tried, part) for part in parts]
        while wait(begun, timeout=_LOOK_SECONDS).not_done:
            if governor.lost is not None:  # a server that stands still would keep its tasks waiting for ever
                context.cancelJobGroup(group)
    return [outcome for done in begun for outcome in done.result()]


def _was_hard(outcome: SliceOutcome) -> bool:
    return outcome.tries > 1 if isinstance(outcome, StagedSlice) else outcome.exit_code == TRANSIENT
