"""All that is compared takes its turn, again and again, on one table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from etl.settings import load_settings
from scripts.benchmarks.ground import planned
from scripts.benchmarks.jdbc import jdbc_seconds
from scripts.benchmarks.peers import load_by
from scripts.benchmarks.staging import copy_seconds, staged_apart
from scripts.benchmarks.whole_run import WholeRun, run_apart
from scripts.benchmarks.worker_steps import steps_apart
from scripts.local_stack.local_stack import Endpoints
from scripts.row_wise import mask_row_by_row

SAMPLE_ROWS = 20_000


@dataclass
class Turns:
    """What was measured on one table.

    Attributes:
        rows: of the table.
        runs: whole runs.
        seconds: way → how long each of its turns took.
        peer_bytes: peer → bytes of Parquet that it wrote.
        worker: microseconds a row of a worker's steps, one for each time they were measured.
        peak_mib: the largest memory of a worker that staged.
        bytes: of Parquet that ours staged.
        row_wise: rows a second of the row-wise masker.
    """

    rows: int = 0
    runs: list[WholeRun] = field(default_factory=list)
    seconds: dict[str, list[float]] = field(default_factory=dict)
    peer_bytes: dict[str, int] = field(default_factory=dict)
    worker: list[dict[str, float]] = field(default_factory=list)
    peak_mib: int = 0
    bytes: int = 0
    row_wise: float = 0.0

    def took(self, way: str, seconds: float | None) -> None:
        """One turn of a way is over; None when it cannot be had."""
        if seconds is not None:
            self.seconds.setdefault(way, []).append(seconds)


def whole_runs(ends: Endpoints, runs: int) -> list[WholeRun]:
    """Returns whole runs, one after another."""
    return [_told(number, run_apart(ends.settings, ends.root)) for number in range(runs)]


def compared(ends: Endpoints, runs: int, peers: Sequence[str]) -> Turns:
    """Returns what ours and others took, each in its turn."""
    settings, found = load_settings(ends.settings), Turns()
    plan = planned(settings)
    for number in range(runs):
        found.runs.append(_told(number, run_apart(ends.settings, ends.root)))
        found.took("copy", copy_seconds(settings.source.url, plan, plan.contract.columns))
        found.took("copy_selected", copy_seconds(settings.source.url, plan, plan.contract.selected))
        staged = staged_apart(ends.settings)
        found.took("ours", staged.seconds)
        found.peak_mib, found.rows, found.bytes = max(found.peak_mib, staged.worker_mib), staged.rows, staged.bytes
        found.took("spark_jdbc", jdbc_seconds(ends.settings))
        for peer in peers:
            if load := load_by(peer, settings.source.url, plan):
                found.took(peer, load.seconds)
                found.peer_bytes[peer] = load.bytes
        found.worker.append(steps_apart(ends.settings))
        print(", ".join(f"{way} {seconds[-1]:.1f} s" for way, seconds in found.seconds.items()), flush=True)
    done, seconds = mask_row_by_row(settings.source.url, plan, SAMPLE_ROWS)
    found.row_wise = done / seconds
    return found


def _told(number: int, run: WholeRun) -> WholeRun:
    steps = ", ".join(f"{step} {seconds:.1f}" for step, seconds in run.seconds.items())
    print(f"run {number + 1}: {run.rows:,} rows in {run.whole:.1f} s ({steps})", flush=True)
    return run
