"""Measures what a small table costs beyond start-up: thirty tables of a hundred rows, several at once, in one run.

The first run creates the tables, the second replaces their rows; both are printed in seconds a table, and so is the
publish step alone. Start-up (Spark, imports, the first worker) is paid by a run of one table before. The target is
0.45 s a table. Written to .local/bench/publish.json.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import threading
import time
from collections.abc import Sequence
from datetime import date
from functools import partial
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[1]
if str(ROOT) not in sys.path:  # run as a file, not as a module
    sys.path.insert(0, str(ROOT))

import psycopg  # noqa: E402  needs the path above

from etl.keys import create_keyring_file  # noqa: E402  the same
from etl.run.daily import daily_run  # noqa: E402  the same
from etl.settings import Settings, load_settings  # noqa: E402  the same
from etl.spark import spark_session  # noqa: E402  the same
from scripts.local_stack.local_stack import LocalStack  # noqa: E402  the same
from scripts.local_stack.replay import answer, follows  # noqa: E402  the same

FOLDER: Final = ROOT / ".local" / "bench"
DAY: Final = date(2023, 8, 30)
TARGET_SECONDS: Final = 0.45
_ROWS: Final = 100
_PATIENCE_SECONDS: Final = 20
_CONTRACT: Final = """\
table: {name}
about: One of many small tables.
source: many.{name}
publish: many.{name}
load: {{mode: full}}
key: [member_id]
reconcile: [amount]
columns:
  member_id:  {{type: int64, class: identifier, mask: {{strategy: tokenize, domain: member}}, nullable: false}}
  pan:        {{type: string, class: pan, mask: {{strategy: fpe, domain: pan}}}}
  memo:       {{type: string, class: free_text, mask: {{strategy: scrub_text}}}}
  amount:     {{type: "numeric(12,2)", class: none, mask: {{strategy: keep, why: the measure itself}}}}
  updated_at: {{type: timestamp, class: none, mask: {{strategy: keep, why: our own record}}}}
"""
_TABLE: Final = """
CREATE TABLE many.{name} (
    member_id bigint PRIMARY KEY, pan text, memo text, amount numeric(12, 2), updated_at timestamptz
);
INSERT INTO many.{name}
SELECT n, '4111111111111111', 'thank you ' || n, n * 1.25, '2023-08-30 09:00:00+09'
FROM generate_series(1, {rows}) AS n;
"""


class Watch:
    """Hears when each table begins a step."""

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._begun: dict[tuple[str, str], float] = {}

    def say(self, table: str, step: str, **_: object) -> None:
        """A table reached a step."""
        with self._guard:
            self._begun[table, step] = time.monotonic()

    def seconds(self, first: str, last: str) -> list[float]:
        """Gives, for every table, how long it took from one step to another."""
        return [
            self._begun[table, last] - begun
            for (table, step), begun in self._begun.items()
            if step == first and (table, last) in self._begun
        ]


def main(arguments: Sequence[str] | None = None) -> int:
    """Measures, prints and writes the figures."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--tables", type=int, default=30, help="how many (default 30)")
    parser.add_argument("--root", type=Path, default=FOLDER / "publish", help="folder of the stack")
    parser.add_argument("--output", type=Path, default=FOLDER / "publish.json", help="file of the figures")
    given = parser.parse_args(arguments)
    os.environ.setdefault("PYTHONPATH", str(ROOT))
    os.environ.setdefault("SPARK_LOCAL_IP", "127.0.0.1")
    stack = LocalStack(given.root)
    ends = stack.up()
    try:
        settings = load_settings(ends.settings)
        contracts = seed(given.root, ends.primary_url, ends.source_url, given.tables)
        keyring = Path(settings.keyring.ref.removeprefix("file:"))
        if not keyring.exists():
            create_keyring_file(keyring)
        figures = measure(settings, contracts, given.tables)
    finally:
        stack.reset()
    given.output.parent.mkdir(parents=True, exist_ok=True)
    given.output.write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")
    show(figures)
    return 0


def seed(root: Path, primary: str, standby: str, tables: int) -> Path:
    """Makes the tables and gives the folder of their contracts."""
    folder = root / "contracts"
    folder.mkdir(parents=True, exist_ok=True)
    names = [f"small_{number:02d}" for number in range(tables)]
    with psycopg.connect(primary, autocommit=True) as connection:
        connection.execute("DROP SCHEMA IF EXISTS many CASCADE")
        connection.execute("CREATE SCHEMA many")
        for name in names:
            connection.execute(_TABLE.format(name=name, rows=_ROWS).encode())
            (folder / f"{name}.yaml").write_text(_CONTRACT.format(name=name), encoding="utf-8")
        connection.execute("GRANT USAGE ON SCHEMA many TO etl_reader")
        connection.execute("GRANT SELECT ON ALL TABLES IN SCHEMA many TO etl_reader")
        followed = follows(connection, partial(answer, standby), _PATIENCE_SECONDS)
    if not followed:
        raise TimeoutError("the standby does not follow")
    return folder


def measure(settings: Settings, contracts: Path, tables: int) -> dict[str, float | int | None]:
    """Returns seconds a table of a first and of a second run."""
    spark = spark_session()
    figures: dict[str, float | int | None] = {"tables": tables, "rows_a_table": _ROWS, "cores": os.cpu_count()}
    try:
        daily_run(settings, DAY, Watch(), ["small_00"], contracts)
        for name in ("first", "next"):
            watch, begun = Watch(), time.monotonic()
            result = daily_run(settings, DAY, watch, (), contracts)
            seconds = time.monotonic() - begun
            if result.exit_code:
                raise RuntimeError(next(one.error for one in result.tables if one.error))
            publishing = watch.seconds("publish", "published")
            figures[f"{name}_seconds_a_table"] = round(seconds / tables, 3)
            figures[f"{name}_publish_seconds_mean"] = round(sum(publishing) / tables, 3)
            figures[f"{name}_publish_seconds_worst"] = round(max(publishing), 3)
    finally:
        spark.stop()
    return figures


def show(figures: dict[str, float | int | None]) -> None:
    """Prints seconds a table."""
    print(f"{figures['tables']} tables of {figures['rows_a_table']} rows, {figures['cores']} cores")
    for name, title in {"first": "first load", "next": "next load"}.items():
        whole = figures[f"{name}_seconds_a_table"] or 0
        print(
            f"{title:12}{whole:6.2f} s a table, all steps (target {TARGET_SECONDS} s)   "
            f"publish and record: {figures[f'{name}_publish_seconds_mean']:.2f} s, "
            f"worst {figures[f'{name}_publish_seconds_worst']:.2f} s, side by side"
        )


if __name__ == "__main__":
    sys.exit(main())
