"""What a night costs for so many rows: lines through measured points, spread over Glue's workers and the reader.

A run costs a fixed part and a part for each row. Both come from whole runs of several sizes on one machine, by least
squares of relative errors. Processor time then is divided among workers; nothing else is assumed to become faster.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

Point = Mapping[str, Any]  # one size of .local/bench/points.json

VCPUS_A_WORKER: Final = 4
"""Of G.1X, which is one DPU with 16 GiB."""
VCPUS_AN_ACU: Final = 0.25
"""Assumed: Aurora says 2 GiB of memory an ACU and a processor to match; its instances of class r have 8 GiB a vCPU."""
WORKERS: Final = (2, 3, 4, 5, 10, 20, 50, 100)
ACUS: Final = (2, 4, 8, 16, 32, 64, 128)
GLUE_START_MINUTES: Final = 1.5
"""Assumed: until Glue's job runs our first line; it is not billed but waited for."""
LOAD_SECONDS: Final = 30
LOADED_GIB_A_MINUTE: Final = 10
"""Both are assumed of a load job, which runs on slots of Google's own; the local server's time says nothing of it."""
BYTES_A_ROW: Final = 58
"""Of staged Parquet, measured on 300,000 payments."""
WINDOW_MINUTES: Final = 60.0
"""A night is planned to fit into this."""
USD_A_DPU_HOUR: Final = 0.44
USD_AN_ACU_HOUR: Final = 0.20
ROWS_A_MIB: Final = 5_100
"""Payments in a MiB of the table (`pg_relation_size`: 203 bytes a row)."""
SLICE_MIB: Final = 128
FILES_A_JOB: Final = 10_000


@dataclass(frozen=True)
class Line:
    """A cost that grows with rows.

    Attributes:
        fixed: what a run of no row costs.
        a_row: what each row adds.
    """

    fixed: float
    a_row: float

    def at(self, rows: int) -> float:
        """Returns the cost of so many rows."""
        return self.fixed + self.a_row * rows

    @classmethod
    def through(cls, points: Sequence[tuple[int, float]]) -> Line:
        """Returns the line whose relative errors are smallest, neither part below 0.

        Args:
            points: (rows, cost), of at least two sizes.
        """
        weighed = [(rows, cost, 1 / max(cost, 1e-9) ** 2) for rows, cost in points]
        total = sum(weight for _, _, weight in weighed)
        x = sum(rows * weight for rows, _, weight in weighed) / total
        y = sum(cost * weight for _, cost, weight in weighed) / total
        spread = sum(weight * (rows - x) ** 2 for rows, _, weight in weighed)
        slope = sum(weight * (rows - x) * (cost - y) for rows, cost, weight in weighed) / spread
        if slope < 0:
            return cls(y, 0.0)
        if y < slope * x:
            return cls(0.0, sum(c * r * w for r, c, w in weighed) / sum(r * r * w for r, _, w in weighed))
        return cls(y - slope * x, slope)


@dataclass(frozen=True)
class Model:
    """Lines of a whole run on the measured machine.

    Attributes:
        wall: seconds from start to end.
        workers: processor seconds that spread over workers: their own and their JVM's while they stage and audit.
        alone: seconds of all that one process does while no worker works: opening and recording.
        reader: processor seconds of the source's server.
        reached: rows of the largest measured point.
    """

    wall: Line
    workers: Line
    alone: Line
    reader: Line
    reached: int

    @classmethod
    def of(cls, points: Sequence[Point]) -> Model:
        """Returns the model of measured points."""

        def line(cost: Callable[[Point], float]) -> Line:
            return Line.through([(one["rows"], cost(one)) for one in points])

        return cls(
            wall=line(lambda one: one["whole_seconds"]),
            workers=line(spread_seconds),
            alone=line(lambda one: sum(one["seconds"][step] for step in ("opening", "recording"))),
            reader=line(lambda one: sum(parts["standby"] for parts in one["processor_seconds"].values())),
            reached=max(one["rows"] for one in points),
        )


def spread_seconds(one: Point) -> float:
    """Returns the processor seconds of a run that more workers divide: theirs and their JVM's, to stage and audit."""
    return float(
        sum(one["processor_seconds"][step][part] for step in ("stage", "audit") for part in ("workers", "jvm"))
    )


@dataclass(frozen=True)
class Night:
    """What a night of so many rows takes.

    Attributes:
        workers: of Glue, G.1X, one of them the driver's.
        acu: of the reader while it is read.
        minutes: from Glue's start to the end.
        dollars: of Glue and the reader, for one night.
        files: staged, all of them in one load job at worst.
        limit: what would have to grow for the night to be shorter.
    """

    rows: int
    workers: int
    acu: int
    minutes: float
    dollars: float
    files: int
    limit: str

    @property
    def fits(self) -> bool:
        """Tells whether the window is long enough."""
        return self.minutes <= WINDOW_MINUTES


def night(model: Model, rows: int) -> Night:
    """Returns the cheapest night that fits into the window; else the shortest."""
    tried = [_night(model, rows, workers, acu) for workers in WORKERS for acu in ACUS]
    fitting = [one for one in tried if one.fits]
    if fitting:
        return min(fitting, key=lambda one: (one.dollars, one.minutes))
    return min(tried, key=lambda one: (one.minutes, one.dollars))


def _night(model: Model, rows: int, workers: int, acu: int) -> Night:
    parts = {
        "workers": model.workers.at(rows) / ((workers - 1) * VCPUS_A_WORKER),
        "the reader": model.reader.at(rows) / (acu * VCPUS_AN_ACU),
        "start and end": model.alone.at(rows),
        "the load job": LOAD_SECONDS + rows * BYTES_A_ROW / 2**30 / LOADED_GIB_A_MINUTE * 60,
    }
    seconds = max(parts["workers"], parts["the reader"]) + parts["start and end"] + parts["the load job"]
    hours = seconds / 3600
    return Night(
        rows=rows,
        workers=workers,
        acu=acu,
        minutes=GLUE_START_MINUTES + seconds / 60,
        dollars=hours * (workers * USD_A_DPU_HOUR + acu * USD_AN_ACU_HOUR),
        files=math.ceil(rows / (SLICE_MIB * ROWS_A_MIB)),
        limit=max(parts, key=lambda name: parts[name]),
    )
