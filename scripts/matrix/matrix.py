"""Tries the package on every runtime that it promises: a part of the tests, one day of the demonstration, equal values.

    python scripts/matrix/matrix.py                    # all; prints a table, writes .local/matrix.json
    python scripts/matrix/matrix.py --only glue-6.0    # one, or several

Each runtime has an environment of its own (`.venv-matrix/`), made from its lock. The day is loaded by the package as
the wheel holds it, outside the checkout, from one made-up issuer under one keyring. Exit code 1 where a test fails, a
load fails, or a published table or view is not the same everywhere.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[2]
if str(ROOT) not in sys.path:  # run as a file, not as a module
    sys.path.insert(0, str(ROOT))

from rich.console import Console  # noqa: E402  needs the path above
from rich.table import Table  # noqa: E402  the same

from scripts.matrix.day import Day, seeded  # noqa: E402  the same
from scripts.matrix.runtime import RUNTIMES, TESTS, Trial  # noqa: E402  the same


def main(arguments: Sequence[str] | None = None) -> int:
    """Tries the chosen runtimes; returns the exit code."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--only", nargs="+", metavar="RUNTIME", choices=[one.name for one in RUNTIMES])
    parser.add_argument("--no-tests", action="store_true", help="load the day only")
    given = parser.parse_args(arguments)
    chosen = [one for one in RUNTIMES if not given.only or one.name in given.only]
    with tempfile.TemporaryDirectory() as scratch, seeded(Path(scratch)) as day:
        trials = [tried(one.name, day, tests=not given.no_tests) for one in chosen]
    file = ROOT / ".local" / "matrix.json"
    file.parent.mkdir(exist_ok=True)
    file.write_text(json.dumps([asdict(trial) for trial in trials], indent=2), encoding="utf-8")
    Console(width=150).print(drawn(trials))
    print(f"tests: {' '.join(TESTS)}\nwritten to {file.relative_to(ROOT)}")
    return 0 if all(trial.passed for trial in trials) and len({trial.published for trial in trials}) == 1 else 1


def tried(name: str, day: Day, *, tests: bool) -> Trial:
    """Loads the day on a runtime, then runs its part of the tests."""
    runtime = next(one for one in RUNTIMES if one.name == name)
    print(f"{name}: making its environment", file=sys.stderr, flush=True)
    runtime.make()
    print(f"{name}: loading {day.tables} tables", file=sys.stderr, flush=True)
    began = time.monotonic()
    code, published = day.loaded_by(runtime)
    seconds = time.monotonic() - began
    print(f"{name}: tests", file=sys.stderr, flush=True)
    passed, failed = runtime.tested() if tests else (0, 0)
    return Trial(name, runtime.versions(), code, round(seconds, 1), published, passed, failed)


def drawn(trials: Sequence[Trial]) -> Table:
    """Returns the trials as a table."""
    table = Table()
    for title in ("runtime", "Python", "Spark", "numpy", "pandas", "pyarrow", "day", "published", "tests"):
        table.add_column(title)
    for trial in trials:
        day = f"exit {trial.exit_code}, {trial.seconds:.0f} s"
        tests = f"{trial.tests_passed:,} passed, {trial.tests_failed} failed"
        table.add_row(trial.runtime, *trial.versions, day, trial.published[:16], tests)
    return table


if __name__ == "__main__":
    sys.exit(main())
