"""Proves a cluster's workers before a run takes its tables: a minute here saves a night of held leases."""

from __future__ import annotations

import pickle
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from concurrent.futures import TimeoutError as NotInTime
from typing import TYPE_CHECKING, Any, Final

from etl.errors import NO_ROW_READ, Unexpected, worst_of
from etl.workers import look as looks
from etl.workers.failures import SAME_PACKAGE, SAME_PYTHON, NoWorker, WorkersUnfit, unread
from etl.workers.look import Look, look
from etl.workers.watch import executors
from etl.workers.ways import Ways
from masking.errors import KagemushaError

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

CLOCK_SECONDS: Final = 60.0
"""AWS takes signatures that are some minutes off, and a watermark in the future is ignored: a minute is neither."""
_GROUP: Final = "preflight"
_ROUNDS: Final = 3
_LOOK_SECONDS: Final = 0.5


def prove_workers(spark: SparkSession, ways: Ways, wait_seconds: float) -> int:
    """Has every executor say what it is, and try the ways of a task; returns how many have answered.

    Spark gives as many tasks as there are executors one to each where all are idle, as they are before a run.

    Args:
        spark: the session on the cluster.
        ways: what a task must reach.
        wait_seconds: how long the cluster may take to give us a first worker.

    Raises:
        NoWorker: none came in time.
        WorkersUnfit: Python, package, libraries or clock differ from the driver's.
        KagemushaError: what the worst worker could not reach, with its name.
    """
    own = look()
    seen: dict[tuple[str, int], Look] = {}
    failures: list[KagemushaError] = []
    tasks = 1  # where executors come only for work that waits, the first task calls them
    for _ in range(_ROUNDS):
        asked = time.time()
        found = _looked(spark, tasks, own, ways, wait_seconds)
        answered = time.time()
        failures += [failure for one in found for failure in misfits(own, one, asked, answered)]
        seen |= {(one["host"], one["process"]): one for one in found}
        tasks = executors(spark)
        if len(seen) >= tasks:
            break
    if failures:
        raise worst_of(failures)
    return len(seen)


def _looked(spark: SparkSession, tasks: int, own: Look, ways: Ways, wait_seconds: float) -> list[Look]:
    from pyspark import cloudpickle  # noqa: PLC0415  Spark's own, which can send a module itself

    context, expected, packed = spark.sparkContext, own["package"], pickle.dumps(ways)

    def ask() -> list[Look]:
        context.setJobGroup(_GROUP, _GROUP, interruptOnCancel=True)
        cloudpickle.register_pickle_by_value(looks)  # type: ignore[no-untyped-call]  # vendored
        try:
            return context.parallelize(range(tasks), tasks).map(lambda _: look(expected, packed)).collect()
        finally:
            cloudpickle.unregister_pickle_by_value(looks)  # type: ignore[no-untyped-call]  # the same

    failure: KagemushaError | None = None
    with ThreadPoolExecutor(1, thread_name_prefix=_GROUP) as thread:
        answer = thread.submit(ask)
        try:
            return answer.result(wait_seconds)
        except NotInTime:
            failure = _nobody(spark, wait_seconds)
            while wait([answer], timeout=_LOOK_SECONDS).not_done:  # a job that is not submitted yet cannot be canceled
                context.cancelJobGroup(_GROUP)
        except Exception as error:  # noqa: BLE001  its message could quote anything: only its kind is kept
            kind = type(error).__name__
            failure = unread(error) or Unexpected(f"The workers could not be asked: {kind}.", not_done=NO_ROW_READ)
    raise failure


def _nobody(spark: SparkSession, seconds: float) -> NoWorker:
    there = executors(spark)
    what = f"None of the cluster's {there} workers answered" if there else "The cluster gave us no worker"
    return NoWorker(
        f"{what} within {seconds:g} s.", not_done=NO_ROW_READ, where={"master": str(spark.sparkContext.master)}
    )


def misfits(own: Look, worker: Look, asked: float, answered: float) -> Sequence[KagemushaError]:
    """Returns what keeps a worker from working with this driver.

    Args:
        own: what the driver is.
        worker: what the worker is.
        asked: the driver's clock before it asked, in seconds since 1970.
        answered: the driver's clock when the answer was there.
    """
    found: list[KagemushaError] = []

    def unfit(what: str, advice: str = SAME_PACKAGE) -> None:
        found.append(WorkersUnfit(what, not_done=NO_ROW_READ, advice=advice, where=where))

    where: dict[str, Any] = {"worker": worker["host"], "python": worker["executable"]}
    if worker["python"] != own["python"]:
        unfit(f"A worker has Python {worker['python']}, the driver {own['python']}.", SAME_PYTHON)
    if not worker["package"]:
        unfit("A worker's Python has no module etl.")
    elif worker["package"] != own["package"]:
        unfit(f"A worker has another kagemusha ({worker['package']}) than the driver ({own['package']}).")
    for name, version in worker["libraries"].items():
        if version != own["libraries"][name]:
            unfit(f"A worker has {name} {version or 'not at all'}, the driver {own['libraries'][name] or 'has none'}.")
    off = max(asked - worker["clock"], worker["clock"] - answered)
    if off > CLOCK_SECONDS:
        unfit(f"A worker's clock differs by {off:.0f} s from the driver's.", "Set the clocks right (NTP, chrony).")
    if worker["failure"] is not None:
        found.append(worker["failure"].at(**where))
    return found
