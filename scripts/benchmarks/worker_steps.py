"""Processor time a row of what one worker does: read, mask, look for leaks, write; the worker's own code, one process.

    python -m scripts.benchmarks.worker_steps SETTINGS

Slices are staged one after another by the very function that Spark's tasks call, without Spark, while a clock of the
process (all of its threads) is read around each step. The last line of stdout is the steps as JSON.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, Final
from unittest.mock import patch

from etl.cloud.storage import StagingLocation
from etl.settings import load_settings
from etl.source import Slice, hold_snapshot
from etl.stage import driver
from etl.stage import task as of_worker
from masking.errors import KagemushaError
from masking.keyring import KeyRef
from masking.plan import MaskPlan
from scripts.benchmarks.ground import planned, told_by

WORKER_STEPS: Final = ("read", "mask", "gate", "write")
_MOST_SLICES: Final = 6
_MICROSECONDS: Final = 1e6


class Clock:
    """Adds up the processor time of steps that call each other; each counts without those that it calls."""

    def __init__(self) -> None:
        self.spent = dict.fromkeys(WORKER_STEPS, 0.0)
        self._running: list[str] = []
        self._since = time.process_time()

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        """Counts what the block spends as this step's, but for steps within it."""
        self._turn()
        self._running.append(name)
        try:
            yield
        finally:
            self._turn()
            self._running.pop()

    def around(self, name: str, call: Callable[..., Any]) -> Callable[..., Any]:
        """Returns a function that counts its calls as a step."""

        def counted(*arguments: object, **named: object) -> object:
            with self.step(name):
                return call(*arguments, **named)

        return counted

    def each(self, name: str, call: Callable[..., Iterable[Any]]) -> Callable[..., Iterator[Any]]:
        """Returns a generator function whose every turn counts as a step."""

        def counted(*arguments: object, **named: object) -> Iterator[Any]:
            with self.step(name):
                coming = iter(call(*arguments, **named))
            while True:
                with self.step(name):
                    one = next(coming, None)
                if one is None:
                    return
                yield one

        return counted

    def _turn(self) -> None:
        now = time.process_time()
        if self._running:
            self.spent[self._running[-1]] += now - self._since
        self._since = now


def measured(settings_file: Path) -> dict[str, float]:
    """Returns microseconds a row of each step.

    Raises:
        KagemushaError: a slice could not be staged.
    """
    settings, clock, rows = load_settings(settings_file), Clock(), 0
    plan = planned(settings)
    with hold_snapshot(settings.source) as held:
        key, place = KeyRef(settings.keyring.ref), StagingLocation.of(settings)
        task = driver.table_task(plan, held.snapshot, key, place, "bench-worker")
        _staged(task, plan.slices[0])  # unmeasured: clients, tables of the masks, the table in memory
        with counted(clock):
            for part in plan.slices[:_MOST_SLICES]:
                rows += _staged(task, part).file.rows
    return {step: round(spent / rows * _MICROSECONDS, 3) for step, spent in clock.spent.items()}


@contextmanager
def counted(clock: Clock) -> Iterator[None]:
    """Has a clock read around each step of the worker's module while the block runs."""
    with ExitStack() as replaced:
        for place, name, step, around in (
            (of_worker, "read_slice", "read", clock.each),
            (of_worker, "refuse_leaks", "gate", clock.around),
            (of_worker, "write_slice", "write", clock.around),
            (MaskPlan, "mask", "mask", clock.around),
        ):
            replaced.enter_context(patch.object(place, name, around(step, getattr(place, name))))
        yield


def _staged(task: of_worker.TableTask, part: Slice) -> of_worker.StagedSlice:
    done = of_worker.stage_slice(task, part)
    if isinstance(done, KagemushaError):
        raise done
    return done


def steps_apart(settings: Path) -> dict[str, float]:
    """Returns microseconds a row of each step, measured in a process of its own."""
    return told_by("worker_steps", settings)


if __name__ == "__main__":
    print(json.dumps(measured(Path(sys.argv[1]))))
