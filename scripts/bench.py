"""Measures the way from database to published rows beside others that read the same payments, in one run.

    whole run       plan, stage, audit, publish, record; each in a process of its own, Spark's start included
    ours            staging alone: ADBC → mask → leak gate → Parquet → Cloud Storage, by Spark tasks that are there
    copy            psql, COPY … (FORMAT binary) to /dev/null, of all columns and of those that we read
    peers           dlt, DuckDB, Spark JDBC: the same rows and columns into Parquet, unmasked
    row-wise        psycopg rows, every value masked by a Python call, on a sample

Each takes its turn, again and again; the median counts. Smaller tables are measured by whole runs alone: points
that the model of scripts/benchmarks/SCALE.md is held against. `--rows 10000000 --only runs` adds one more. Written to
.local/bench/end_to_end.json; `make bench-keep` puts the figures into the pages.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[1]
if str(ROOT) not in sys.path:  # run as a file, not as a module
    sys.path.insert(0, str(ROOT))

from scripts.benchmarks.figures import keep_point, show, summary  # noqa: E402  needs the path above
from scripts.benchmarks.ground import FOLDER, ground  # noqa: E402  the same
from scripts.benchmarks.peers import versions  # noqa: E402  the same
from scripts.benchmarks.turns import compared, whole_runs  # noqa: E402  the same

RESULT: Final = FOLDER / "end_to_end.json"
POINTS: Final = FOLDER / "points.json"
MEASURED: Final = ROOT / "scripts" / "benchmarks" / "measured.json"
_KEPT: Final = {"end_to_end": RESULT, "points": POINTS}


def main(arguments: Sequence[str] | None = None) -> int:
    """Measures, prints and writes the figures."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rows", type=int, default=3_000_000, help="payments in the table (default 3,000,000)")
    parser.add_argument("--runs", type=int, default=3, help="how often each takes its turn; the median counts")
    parser.add_argument("--points", type=int, nargs="*", default=[300_000, 1_000_000], help="smaller tables")
    parser.add_argument("--only", choices=["runs"], help="whole runs of --rows alone, as one more point")
    parser.add_argument("--keep", action="store_true", help="measure nothing; keep the last figures for the pages")
    given = parser.parse_args(arguments)
    if given.keep:
        return keep()
    FOLDER.mkdir(parents=True, exist_ok=True)
    stack = FOLDER / "stack"
    for rows in [] if given.only else given.points:
        with ground(stack, rows) as ends:
            keep_point(POINTS, whole_runs(ends, given.runs))
    with ground(stack, given.rows) as ends:
        if given.only:
            keep_point(POINTS, whole_runs(ends, given.runs))
            return 0
        turns = compared(ends, given.runs, list(versions()))
    keep_point(POINTS, turns.runs)
    figures = summary(turns)
    RESULT.write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")
    show(figures)
    return 0


def keep() -> int:
    """Copies what was measured last to where pages and picture are made from; commit it with them."""
    kept = {name: json.loads(file.read_text(encoding="utf-8")) for name, file in _KEPT.items()}
    MEASURED.write_text(json.dumps(kept, indent=2) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
