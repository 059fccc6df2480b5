"""Tables side by side: so many work at once, and a table waits for those that it joins without keeping others out."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager

from etl.stage import Staged


class TableTurns:
    """Lets so many tables of a run work at once.

    Every table has a thread of its own. It gives its turn back before it waits for others to be staged, and staging
    waits for nobody, so no two tables can wait for each other.

    Args:
        tables: of the run.
        at_once: how many may work at the same time.
    """

    def __init__(self, tables: Iterable[str], at_once: int) -> None:
        self._turns = threading.BoundedSemaphore(at_once)
        self._over = {table: threading.Event() for table in tables}
        self._staged: dict[str, Staged] = {}

    @contextmanager
    def turn(self) -> Iterator[None]:
        """Waits for a turn, and gives it back at the end of the block."""
        with self._turns:
            yield

    def staged(self, table: str, staged: Staged | None) -> None:
        """Hears that a table's staging is over; None where it failed."""
        if staged is not None:
            self._staged[table] = staged
        self._over[table].set()

    def wait_for(self, tables: Iterable[str]) -> Mapping[str, Staged]:
        """Returns what the tables have staged, once all are through with it; tables of no thread are not waited for."""
        known = [table for table in tables if table in self._over]
        for table in known:
            self._over[table].wait()
        return {table: self._staged[table] for table in known if table in self._staged}


class Stopwatch:
    """Adds up the seconds in which a table works; while it waits for its turn, the watch stands still.

    Args:
        clock: tells the seconds.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self.seconds = 0.0

    @contextmanager
    def running(self) -> Iterator[None]:
        """Counts until the end of the block, however it ends."""
        started = self._clock()
        try:
            yield
        finally:
            self.seconds += self._clock() - started
