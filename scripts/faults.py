"""Injects faults into the daily load on a local stack of its own; proves after each that nothing is lost or doubled.

    python scripts/faults.py                       # every fault point; prints a table, writes .local/faults.json
    python scripts/faults.py --only load-lost      # one, or several
    python scripts/faults.py --list

Exit code 1 when a promise was broken: rows lost or doubled after a rerun, yesterday's data unreadable meanwhile, or
something left behind.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[1]
if str(ROOT) not in sys.path:  # run as a file, not as a module
    sys.path.insert(0, str(ROOT))

from rich.console import Console  # noqa: E402  needs the path above
from rich.table import Table  # noqa: E402  the same

from etl.spark import spark_session  # noqa: E402  the same
from scripts.fault_injection.field import field  # noqa: E402  the same
from scripts.fault_injection.points import POINTS  # noqa: E402  the same
from scripts.fault_injection.trial import Outcome, timed  # noqa: E402  the same

_WIDTH: Final = 150


def main(arguments: Sequence[str] | None = None) -> int:
    """Tries the chosen points; gives the exit code: 0 all promises kept, 1 one was broken, 2 no such point."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--only", nargs="+", metavar="POINT", help="names of fault points; default: all")
    parser.add_argument("--list", action="store_true", help="list the fault points")
    parser.add_argument("--root", type=Path, default=ROOT / ".local" / "faults", help="folder of the stack")
    parser.add_argument("--output", type=Path, default=ROOT / ".local" / "faults.json", help="file of the outcomes")
    given = parser.parse_args(arguments)
    chosen = [point for point in POINTS if not given.only or point.name in given.only]
    if given.only and len(chosen) != len(set(given.only)):
        print(f"There is no such point; see --list. Known among those: {[point.name for point in chosen]}")
        return 2
    if given.list:
        for point in chosen:
            print(f"{point.name:24}{point.injected}")
        return 0
    begun = time.monotonic()
    outcomes = []
    with field(given.root) as played:
        spark = spark_session()
        try:
            for point in chosen:
                outcome, seconds = timed(played, point)
                outcomes.append(outcome)
                print(f"{seconds:6.1f} s  {outcome.point:24}{outcome.outcome}", flush=True)
                write(outcomes, given.output)
        finally:
            spark.stop()
    show(outcomes)
    wrong = sum(outcome.wrong for outcome in outcomes)
    print(f"{len(outcomes)} fault points in {time.monotonic() - begun:.0f} s, {wrong} wrong")
    return 1 if wrong else 0


def write(outcomes: Sequence[Outcome], path: Path) -> None:
    """Writes the outcomes so far."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps([outcome.to_json() for outcome in outcomes], indent=2) + "\n", encoding="utf-8")


def show(outcomes: Sequence[Outcome]) -> None:
    """Prints one line a fault point."""
    drawn = Table("point", "injected", "outcome", title="Faults and what became of them", title_justify="left")
    for name in ("rows lost", "rows doubled", "stale reads"):
        drawn.add_column(name, justify="right")
    for one in outcomes:
        counts = (str(one.rows_lost), str(one.rows_doubled), str(one.stale_reads))
        drawn.add_row(one.point, one.injected, one.outcome, *counts, style="red" if one.wrong else None)
    Console(width=None if sys.stdout.isatty() else _WIDTH).print(drawn)


if __name__ == "__main__":
    sys.exit(main())
