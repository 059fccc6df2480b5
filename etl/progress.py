"""What a run says while it works: a live table on a terminal, JSON lines otherwise; names and counts only."""

from __future__ import annotations

import json
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final, Protocol, TextIO

from etl.clock import now

if TYPE_CHECKING:
    from rich.live import Live
    from rich.table import Table

STEPS: Final = ("plan", "stage", "audit", "publish", "published", "failed", "warning", "pace")


class Progress(Protocol):
    """Hears of every step of every table, and what there is to say of the `source`."""

    def say(self, table: str, step: str, **counts: object) -> None:
        """A table reached a step, or the source got slower or faster."""


class JsonLines:
    """One JSON object a line; made for CloudWatch and for tests."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._lock = threading.Lock()

    def say(self, table: str, step: str, **counts: object) -> None:
        """Writes one line."""
        line = json.dumps(
            {"at": now().isoformat(), "table": table, "step": step, **counts}, ensure_ascii=False, default=str
        )
        with self._lock:
            print(line, file=self._stream, flush=True)


class LiveTable:
    """A table on the terminal that is redrawn as steps are reached."""

    def __init__(self, live: Live) -> None:
        self._live = live
        self._lock = threading.Lock()
        self._steps: dict[str, str] = {}

    def say(self, table: str, step: str, **counts: object) -> None:
        """Redraws the table's line."""
        with self._lock:
            details = " ".join(f"{name}={value}" for name, value in counts.items() if name != "error")
            self._steps[table] = f"{step} {details}".strip()
            self._live.update(self._drawn())

    def _drawn(self) -> Table:
        from rich.table import Table  # noqa: PLC0415  only a terminal needs it

        drawn = Table("table", "step", title=None, box=None)
        for table, step in self._steps.items():
            drawn.add_row(table, step)
        return drawn


@contextmanager
def progress(stream: TextIO | None = None) -> Iterator[Progress]:
    """Yields the form that fits: a live table where the stream is a terminal, JSON lines otherwise."""
    out = stream or sys.stderr
    if not out.isatty():
        yield JsonLines(out)
        return
    from rich.console import Console  # noqa: PLC0415  only a terminal needs it
    from rich.live import Live  # noqa: PLC0415

    with Live(console=Console(file=out), transient=True, refresh_per_second=8) as live:
        yield LiveTable(live)
