"""A whole run of payments as users have it, in a process of its own: plan, stage, audit, publish, record.

    python -m scripts.benchmarks.whole_run SETTINGS STACK

Nothing is warm: Spark starts within the run, in its default heap. The last line of stdout is the run as JSON.
"""

from __future__ import annotations

import json
import os
import sys
import threading
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from etl.entry import attempted
from etl.run.daily import daily_run
from etl.settings import load_settings
from etl.spark import spark_session
from masking.errors import KagemushaError
from scripts.benchmarks.ground import LAST_DAY, told_by
from scripts.benchmarks.processor import difference, largest_worker_mib, peak_mib, processor_seconds, server_processes

STEPS: Final = ("opening", "stage", "audit", "publish", "recording")
"""Segments of a run: up to the first slice, the three steps of the table, and what follows."""
_BEGINS: Final = {"stage": "stage", "audit": "audit", "publish": "publish", "published": "recording"}
TABLE: Final = "payments"


@dataclass(frozen=True)
class WholeRun:
    """What one run took.

    Attributes:
        rows: that were published.
        seconds: step → wall-clock seconds.
        processor: step → part (driver, jvm, workers, servers) → processor seconds.
        worker_mib, driver_mib, jvm_mib: the largest resident memory of a worker, the driver's Python and the JVM.
        heap_mib: the largest heap that the JVM was allowed.
    """

    rows: int
    seconds: Mapping[str, float]
    processor: Mapping[str, Mapping[str, float]]
    worker_mib: int
    driver_mib: int
    jvm_mib: int
    heap_mib: int

    @property
    def whole(self) -> float:
        """Seconds from the call to its end."""
        return sum(self.seconds.values())


class Marks:
    """Hears when the table begins a step, and looks at clocks."""

    def __init__(self, servers: Mapping[str, int]) -> None:
        self._servers, self._guard = servers, threading.Lock()
        self._marks: dict[str, tuple[float, dict[str, float]]] = {}
        self.worker_mib = 0
        self.mark("opening")

    def say(self, table: str, step: str, **_: object) -> None:
        """A table reached a step."""
        if table == TABLE and step in _BEGINS:
            self.mark(_BEGINS[step])
            self.worker_mib = max(self.worker_mib, largest_worker_mib())

    def mark(self, step: str) -> None:
        """A step begins now, and the one before ends."""
        with self._guard:
            self._marks.setdefault(step, (time.monotonic(), processor_seconds(self._servers)))

    def spent(self) -> tuple[dict[str, float], dict[str, dict[str, float]]]:
        """Returns wall-clock and processor seconds of each step."""
        begun = [self._marks[step] for step in (*STEPS, "end")]
        pairs = list(zip(STEPS, begun, begun[1:], strict=False))
        wall = {step: round(after[0] - before[0], 2) for step, before, after in pairs}
        return wall, {step: difference(before[1], after[1]) for step, before, after in pairs}


def measured(settings: Path, stack: Path) -> WholeRun:
    """Runs payments in this process and returns what it took.

    Raises:
        RuntimeError: they were not published.
    """
    marks = Marks(server_processes(stack))
    result = attempted(lambda: daily_run(load_settings(settings), LAST_DAY, marks, [TABLE]))  # as a command does
    marks.mark("end")
    if isinstance(result, KagemushaError):
        raise RuntimeError(type(result).__name__)  # noqa: TRY004  no argument is wrong
    if result.exit_code:
        raise RuntimeError(next(one.error for one in result.tables if one.error))
    jvm: Any = spark_session()._jvm  # noqa: SLF001  the only way to the JVM; py4j has no types
    seconds, processor = marks.spent()
    return WholeRun(
        rows=sum(one.rows for one in result.tables),
        seconds=seconds,
        processor=processor,
        worker_mib=max(largest_worker_mib(), marks.worker_mib),
        driver_mib=peak_mib(os.getpid()),
        jvm_mib=peak_mib(int(jvm.java.lang.ProcessHandle.current().pid())),
        heap_mib=int(jvm.java.lang.Runtime.getRuntime().maxMemory()) // 2**20,
    )


def run_apart(settings: Path, stack: Path) -> WholeRun:
    """Returns what a run in a process of its own took."""
    return WholeRun(**told_by("whole_run", settings, stack))


if __name__ == "__main__":
    print(json.dumps(asdict(measured(Path(sys.argv[1]), Path(sys.argv[2])))))
