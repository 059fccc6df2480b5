"""The main job on the local stack: seed a made-up issuer, load two business days, ask three views, write the site.

Everything it does can be done by hand; each command is printed before it runs.
"""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import Final

from google.cloud.bigquery import Row
from rich.console import Console
from rich.table import Table

from etl.cloud.bigquery import Warehouse
from etl.entry import business_day, guarded
from etl.settings import LOCAL, load_settings

ROOT: Final = Path(__file__).parents[1]
FIRST_DAY: Final = business_day("2023-06-01")
SECOND_RUN: Final = business_day("2023-08-31")
FIRST_RUN: Final = SECOND_RUN - timedelta(days=1)
PAYMENTS: Final = 60_000
SITE: Final = LOCAL.parent / "site"
QUESTIONS: Final = {
    "How much was paid on each day, by status?": "SELECT * FROM looker.daily_gmv ORDER BY 1 DESC, 2 LIMIT 6",
    "How many applications became cards?": "SELECT * FROM looker.application_funnel ORDER BY 1 DESC LIMIT 5",
    "How late do which ages pay?": "SELECT * FROM looker.delinquency_by_age_band ORDER BY 1, 2 LIMIT 8",
}


def main() -> int:
    """Runs the demonstration and gives the exit code of the first step that failed."""
    started = time.monotonic()
    kagemusha = [sys.executable, "-m", "etl.cli"]
    synth = [sys.executable, "scripts/synth.py"]
    steps: list[tuple[str, Sequence[str]]] = [
        ("kagemusha local up", [*kagemusha, "local", "up"]),
        *([] if keyring_exists() else [("kagemusha keys init", [*kagemusha, "keys", "init"])]),
        (
            f"scripts/synth.py create --scale {PAYMENTS} --first-day {FIRST_DAY} --last-day {FIRST_RUN}",
            [*synth, "create", "--scale", str(PAYMENTS), "--first-day", str(FIRST_DAY), "--last-day", str(FIRST_RUN)],
        ),
        (f"kagemusha run --day {FIRST_RUN}", [*kagemusha, "run", "--day", str(FIRST_RUN)]),
        (f"scripts/synth.py advance --day {SECOND_RUN}", [*synth, "advance", "--day", str(SECOND_RUN)]),
        (f"kagemusha run --day {SECOND_RUN}", [*kagemusha, "run", "--day", str(SECOND_RUN)]),
    ]
    code = next((code for shown, command in steps if (code := ended(shown, command))), 0)
    if code:
        return code
    answer()
    code = ended(f"kagemusha site {SITE}", [*kagemusha, "site", str(ROOT / SITE)])
    if code:
        return code
    print(f"\nDone in {time.monotonic() - started:.0f} s. The stack still runs; `kagemusha local down` stops it.")
    print(f"Look at it: {ROOT / SITE / 'index.html'}")
    return 0


def ended(shown: str, command: Sequence[str]) -> int:
    """Prints a command as it is typed, runs it, and returns its exit code."""
    print(f"\n$ {shown}", flush=True)
    return subprocess.run(command, cwd=ROOT, check=False).returncode


def keyring_exists() -> bool:
    """Tells whether the local stack has a keyring from an earlier run."""
    return (ROOT / LOCAL.parent / "keys" / "keyring.json").exists()


def answer() -> None:
    """Asks the views that Looker Studio reads, and prints what they say."""
    warehouse = Warehouse.of(load_settings(ROOT / LOCAL))
    for question, sql in QUESTIONS.items():
        print(f"\n{question}\n> {sql}")
        rows = list(warehouse.client.query_and_wait(sql))
        Console(width=140).print(drawn(rows))


def drawn(rows: Sequence[Row]) -> Table:
    """Returns rows of a query as a table."""
    table = Table()
    for name in rows[0].keys() if rows else ():
        table.add_column(name)
    for row in rows:
        table.add_row(*("" if value is None else str(value) for value in row.values()))
    return table


if __name__ == "__main__":
    sys.exit(guarded(main))
