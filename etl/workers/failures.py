"""What went wrong on a worker, told from Spark's own words; these may quote a row, so they only choose among ours."""

from __future__ import annotations

import re
from typing import ClassVar, Final

from etl.errors import NO_ROW_READ, TRANSIENT, Unexpected
from masking.errors import KagemushaError

NOT_DONE: Final = "The step ended; what was published before still serves."
SAME_PYTHON: Final = (
    "Name the Python that every worker has in PYSPARK_PYTHON or spark.pyspark.python, of the driver's version."
)
SAME_PACKAGE: Final = "Give the workers what the driver has: install it there, or pass it by --archives or --py-files."


class WorkersUnfit(KagemushaError):
    """The cluster's workers cannot do the work of this driver, whatever the day."""

    advice = SAME_PACKAGE


class NoWorker(KagemushaError):
    """The cluster has no worker for us now."""

    advice = "Run again when the cluster has room, or give the job fewer cores (spark.cores.max) than are free."
    exit_code: ClassVar[int] = TRANSIENT


_KINDS: Final[tuple[tuple[str, type[KagemushaError], str, str], ...]] = (
    ("Cannot run program", WorkersUnfit, "The workers' Python could not be started.", SAME_PYTHON),
    (
        "PYTHON_VERSION_MISMATCH|has different version [0-9.]+ than that in driver",
        WorkersUnfit,
        "The workers have another version of Python than the driver.",
        SAME_PYTHON,
    ),
    (r"No module named '(?P<module>\w+)", WorkersUnfit, "The workers' Python has no module {module}.", SAME_PACKAGE),
    (
        "cancelled as part of cancellation of all jobs",
        NoWorker,
        "No worker was left, so the step was given up.",
        "",
    ),
    (
        "ExecutorLostFailure|Python worker exited unexpectedly|Executor heartbeat timed out",
        NoWorker,
        "Workers were lost again and again.",
        "Run again; if it repeats, give the workers more memory (spark.executor.memory, memoryOverhead).",
    ),
    (
        "Master removed our application|All masters are unresponsive|SparkContext was shut down",
        NoWorker,
        "The cluster ended the job.",
        "Run again; if it repeats, look at the cluster's master.",
    ),
)
_WORKER: Final = re.compile(r"\((?P<host>[\w.:-]+) executor (?P<executor>\w+)\)")


def named_failure(error: BaseException, not_done: str = NOT_DONE) -> KagemushaError | None:
    """Returns what a failure of Spark means, and which worker it was; None where that cannot be told.

    Args:
        error: what Spark raised.
        not_done: what did not happen because of it.
    """
    if not type(error).__module__.startswith(("py4j", "pyspark")):
        return None
    text = str(error)
    for pattern, kind, what, advice in _KINDS:
        found = re.search(pattern, text)
        if found is not None:
            worker = _WORKER.search(text)
            where = {"worker": worker["host"], "executor": worker["executor"]} if worker else {}
            return kind(what.format(**found.groupdict()), not_done=not_done, advice=advice, where=where)
    return None


def failure_of(error: BaseException, not_done: str = NOT_DONE, doer: str = "A step") -> KagemushaError:
    """Returns what a foreign error means; where that cannot be told, its type, as its message could quote a value.

    Args:
        error: what a library raised.
        not_done: what did not happen because of it.
        doer: what failed, for the error's text.
    """
    unforeseen = Unexpected(f"{doer} failed with {type(error).__name__}.", not_done=not_done)
    return named_failure(error, not_done) or unforeseen


def unread(error: BaseException) -> KagemushaError | None:
    """Returns what a failure means before a row was read; see `named_failure`."""
    return named_failure(error, NO_ROW_READ)
