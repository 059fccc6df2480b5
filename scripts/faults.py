"""Injects faults into the daily load on a local stack of its own; proves after each that nothing is lost or doubled.

    python scripts/faults.py                       # every fault point; prints a table, writes .local/faults.json
    python scripts/faults.py --only load-lost      # one, or several
    python scripts/faults.py --list
    python scripts/faults.py --random 30 --seed 7  # 30 random schedules of one to five disturbances each

Exit code 1 when a promise was broken: rows lost or doubled after a rerun, yesterday's data unreadable meanwhile, a
planted value in BigQuery or a staged file, or something left behind. A random schedule that breaks one is shrunk first.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[1]
if str(ROOT) not in sys.path:  # run as a file, not as a module
    sys.path.insert(0, str(ROOT))

from rich.console import Console  # noqa: E402  needs the path above
from rich.table import Table  # noqa: E402  the same

from etl.spark import spark_session  # noqa: E402  the same
from scripts.fault_injection.make_field import TABLES, Fields, fields  # noqa: E402  the same
from scripts.fault_injection.point import Point  # noqa: E402  the same
from scripts.fault_injection.points import POINTS  # noqa: E402  the same
from scripts.fault_injection.schedule import Schedule, schedules  # noqa: E402  the same
from scripts.fault_injection.scheduled import shrunk, tried_schedule  # noqa: E402  the same
from scripts.fault_injection.trial import Outcome, tried  # noqa: E402  the same

_WIDTH: Final = 150


def main(arguments: Sequence[str] | None = None) -> int:
    """Tries the chosen points; gives the exit code: 0 all promises kept, 1 one was broken, 2 no such point."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--only", nargs="+", metavar="POINT", help="names of fault points; default: all")
    parser.add_argument("--list", action="store_true", help="list the fault points")
    parser.add_argument("--root", type=Path, default=ROOT / ".local" / "faults", help="folder of the stack")
    parser.add_argument("--output", type=Path, default=ROOT / ".local" / "faults.json", help="file of the outcomes")
    parser.add_argument("--random", type=int, default=0, metavar="N", help="try N random schedules instead")
    parser.add_argument("--seed", type=int, default=1, help="which ones; the same seed draws the same schedules")
    parser.add_argument("--first", type=int, default=0, metavar="M", help="go on with schedule M, as a run was ended")
    given = parser.parse_args(arguments)
    chosen = [point for point in POINTS if not given.only or point.name in given.only]
    if given.only and len(chosen) != len(set(given.only)):
        print(f"There is no such point; see --list. Known among those: {[point.name for point in chosen]}")
        return 2
    if given.list:
        for point in chosen:
            print(f"{point.name:24}{point.injected}")
        return 0
    drawn = tuple(schedules(given.seed, given.random, TABLES))[given.first :]
    begun, before = time.monotonic(), kept(given.output, random=given.random > 0, going_on=given.first > 0)
    outcomes: list[Outcome] = []
    with fields(given.root, keys_change=given.random > 0) as played:
        spark = spark_session()
        try:
            for outcome in trials(played, () if given.random else chosen, drawn):
                outcomes.append(outcome)
                print(f"{time.monotonic() - begun:6.0f} s  {outcome.point:24}{outcome.outcome}", flush=True)
                write([*before, *(one.to_json() for one in outcomes)], given.output)
        finally:
            spark.stop()
    show(outcomes)
    wrong = sum(outcome.wrong for outcome in outcomes)
    print(f"{len(outcomes)} trials in {time.monotonic() - begun:.0f} s, {wrong} wrong")
    return 1 if wrong else 0


def trials(played: Fields, points: Sequence[Point], drawn: Sequence[Schedule]) -> Iterator[Outcome]:
    """Yields the outcome of each point, then of each random schedule; one that is wrong is shrunk."""
    for point in points:
        yield tried(played.of(point.engine or "postgres"), point)
    for schedule in drawn:
        here = played.of(schedule.engine)
        outcome = tried_schedule(here, schedule)
        if outcome.wrong:
            outcome = replace(outcome, injected=f"{outcome.injected}; shrunk: {shrunk(here, schedule)}")
        yield outcome


def kept(path: Path, *, random: bool, going_on: bool) -> list[dict[str, object]]:
    """Returns the outcomes that stay in a file: of the other kind, and of the same one where a run goes on."""
    known = json.loads(path.read_text(encoding="utf-8")) if path.exists() else []
    return [one for one in known if going_on or one["point"].startswith("random ") is not random]


def write(outcomes: Sequence[dict[str, object]], path: Path) -> None:
    """Writes the outcomes so far."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(outcomes, indent=2) + "\n", encoding="utf-8")


def show(outcomes: Sequence[Outcome]) -> None:
    """Prints one line a fault point."""
    drawn = Table("point", "injected", "outcome", title="Faults and what became of them", title_justify="left")
    for name in ("rows lost", "rows doubled", "stale reads", "leaked values"):
        drawn.add_column(name, justify="right")
    for one in outcomes:
        counts = (str(one.rows_lost), str(one.rows_doubled), str(one.stale_reads), str(one.leaked_values))
        drawn.add_row(one.point, one.injected, one.outcome, *counts, style="red" if one.wrong else None)
    Console(width=None if sys.stdout.isatty() else _WIDTH).print(drawn)


if __name__ == "__main__":
    sys.exit(main())
