"""Slices become Spark jobs of one task each, as many at once as the governor gives turns to, over all tables of a run.

A job of all slices would start as many as there are cores, and nobody could take a turn back from it.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, TypeVar

from etl.errors import TRANSIENT
from etl.handoff import Slice
from etl.source.governor import Governor
from masking.errors import KagemushaError

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

Done = TypeVar("Done")


def dispatched(
    spark: SparkSession,
    table: str,
    parts: Sequence[Slice],
    job: Callable[[Slice], list[Done | KagemushaError]],
    governor: Governor,
) -> list[Done | KagemushaError]:
    """Gives what every slice came to; once one has failed, none of its table is begun any more.

    Args:
        spark: the session.
        table: names the scheduler's pool, so that tables share the cores evenly.
        parts: the slices.
        job: runs a Spark job of one task for a slice; its worker gives its error instead of raising it.
        governor: gives the turns, and is told of what went wrong.
    """
    context = spark.sparkContext
    group = f"stage {table} {id(parts)}"
    failed = threading.Event()

    def one(part: Slice) -> list[Done | KagemushaError]:
        if failed.is_set():
            return []
        try:
            with governor.turn():
                if failed.is_set():
                    return []
                context.setLocalProperty("spark.scheduler.pool", table)
                context.setJobGroup(group, table, interruptOnCancel=True)
                outcomes = job(part)
        except Exception as error:
            failed.set()
            if governor.lost is None:
                raise
            outcomes = [governor.lost.at(table=table)] if not isinstance(error, KagemushaError) else [error]
        for outcome in outcomes:
            if isinstance(outcome, KagemushaError):
                failed.set()
                if outcome.exit_code == TRANSIENT:
                    governor.strained("slices fail")
        return outcomes

    # A server that stands still would keep its tasks waiting for ever: when the run is lost, they are canceled.
    with (
        governor.on_loss(lambda: context.cancelJobGroup(group)),
        ThreadPoolExecutor(min(len(parts), governor.most), thread_name_prefix="slice") as threads,
    ):
        return [outcome for found in threads.map(one, parts) for outcome in found]
