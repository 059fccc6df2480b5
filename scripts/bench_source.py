"""Measures the read path alone, and what it costs the writer, in one run on one table of payments.

    adbc     rows a second that reach Spark's Python workers as Arrow under the pinned snapshot, unmasked, thrown away
    jdbc     the same by Spark JDBC (left out where there is no driver)
    copy     psql, COPY … (FORMAT binary) of the same columns and rows to /dev/null
    pgbench  transactions a second on the primary, alone and while a load reads its standby again and again

pgbench runs twice: at a steady rate, which shows whether the load makes the business wait, and at full speed, which on
one machine shows above all how two servers and Spark share its cores. Written to .local/bench/source.json.
"""

from __future__ import annotations

import argparse
import json
import re
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[1]
if str(ROOT) not in sys.path:  # run as a file, not as a module
    sys.path.insert(0, str(ROOT))

import psycopg  # noqa: E402  needs the path above
from pyspark.sql import SparkSession  # noqa: E402  the same

from etl.plan import TablePlan  # noqa: E402  the same
from etl.settings import Settings, load_settings  # noqa: E402  the same
from etl.source import (  # noqa: E402  the same
    HeldSnapshot,
    ReadColumn,
    hold_snapshot,
    read_slice,
)
from schemas.contract_file import load_contract  # noqa: E402  the same
from scripts.bench_jdbc import jdbc_rows_per_s, mysql_jdbc_rows_per_s  # noqa: E402  the same
from scripts.benchmarks.ground import FOLDER, LAST_DAY, bench_session, ground, planned  # noqa: E402  the same
from scripts.benchmarks.staging import copy_seconds  # noqa: E402  the same
from scripts.local_stack.postgres_files import binaries  # noqa: E402  the same

_CLIENTS: Final = 4
_SCALE: Final = 10
_LOCK_WAITS: Final = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
_SAMPLED_EVERY: Final = 0.05

Figures = dict[str, float | int | None]


def main() -> int:
    """Measures, prints and writes the figures."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rows", type=int, default=1_000_000, help="payments in the table (default 1,000,000)")
    parser.add_argument("--runs", type=int, default=3, help="how often adbc and copy run in turn; the median counts")
    parser.add_argument("--seconds", type=int, default=10, help="how long each pgbench runs (default 10)")
    parser.add_argument("--rate", type=int, default=300, help="transactions a second of the steady load (default 300)")
    given = parser.parse_args()
    with ground(FOLDER / "source", given.rows) as ends:
        settings, spark = load_settings(ends.settings), bench_session()
        figures = measure(spark, settings, ends.primary_url, given.runs, given.seconds, given.rate)
        contract = load_contract(ROOT / "schemas" / "payments.yaml")
        jdbc = [jdbc_rows_per_s(spark, settings.source, contract, LAST_DAY) for _ in range(2)]  # the first one loads it
        figures["postgres_jdbc_rows_per_s"] = max(jdbc)
        figures["mysql_jdbc_rows_per_s"] = mysql_jdbc_rows_per_s(spark, ends.root, contract, LAST_DAY)
    (FOLDER / "source.json").write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")
    show(figures)
    return 0


def measure(spark: SparkSession, settings: Settings, primary: str, runs: int, seconds: int, rate: int) -> Figures:
    """Returns the figures of PostgreSQL: rows a second of ADBC and COPY, and pgbench's."""
    plan = planned(settings)
    with hold_snapshot(settings.source) as held:
        adbc, copies = [], []
        rows = adbc_rows(spark, held, plan)  # unmeasured: it brings the table into memory and workers to life
        for _ in range(runs):
            copies.append(copy_seconds(settings.source.url, plan, plan.contract.selected))
            begun = time.monotonic()
            rows = adbc_rows(spark, held, plan)
            adbc.append(time.monotonic() - begun)
            print(f"{rows:,} rows: adbc {adbc[-1]:.1f} s, copy {copies[-1]:.1f} s", flush=True)
    _pgbench(primary, "-i", "-q", "-s", str(_SCALE))
    loads = {"": ["-R", str(rate)], "_full_speed": []}
    found: Figures = {}
    for name, extra in loads.items():
        alone = pgbench(primary, seconds, extra)
        with reading(settings, lambda held: adbc_rows(spark, held, plan)) as times:
            beside = pgbench(primary, seconds, extra)
        found[f"pgbench_tps_alone{name}"], found[f"pgbench_tps_with_run{name}"] = alone.tps, beside.tps
        found[f"pgbench_latency_ms_alone{name}"], found[f"pgbench_latency_ms_with_run{name}"] = (
            alone.latency_ms,
            beside.latency_ms,
        )
        found[f"lock_waits_alone{name}"], found[f"lock_waits_with_run{name}"] = alone.lock_waits, beside.lock_waits
        print(
            f"pgbench{name}: {alone.tps:.0f} → {beside.tps:.0f} tps while the table was read {times[0]} times",
            flush=True,
        )
    return {
        "rows": rows,
        "postgres_adbc_rows_per_s": round(rows / median(adbc)),
        "copy_rows_per_s": round(rows / median(copies)),
        **found,
    }


def adbc_rows(spark: SparkSession, held: HeldSnapshot, plan: TablePlan) -> int:
    """Reads a plan's slices in Spark tasks, as the daily load does, and gives how many rows came."""
    columns = [ReadColumn(name, column.type) for name, column in plan.contract.selected.items()]
    snapshot, source = held.snapshot, plan.contract.source
    slices = spark.sparkContext.parallelize(plan.slices, len(plan.slices))
    read = slices.map(lambda part: sum(batch.num_rows for batch in read_slice(snapshot, source, columns, part.where)))
    return int(read.sum())


@contextmanager
def reading(settings: Settings, read: Callable[[HeldSnapshot], int]) -> Iterator[list[int]]:
    """Reads again and again while the block runs, each time under a new snapshot; yields a count of the times."""
    ended, times = threading.Event(), [0]

    def again() -> None:
        while not ended.is_set():
            with hold_snapshot(settings.source) as held:
                read(held)
            times[0] += 1

    with ThreadPoolExecutor(1) as reader:
        done = reader.submit(again)
        try:
            yield times
        finally:
            ended.set()
            done.result()


@dataclass(frozen=True)
class Transactions:
    """What pgbench said, and in how many looks a session of the primary waited for a lock."""

    tps: float
    latency_ms: float
    lock_waits: int


def pgbench(primary: str, seconds: int, extra: list[str]) -> Transactions:
    """Runs pgbench's simple updates, which do not wait for each other, on the primary.

    Raises:
        RuntimeError: it said no figure.
    """
    ended, waits = threading.Event(), [0]

    def watch() -> None:
        with psycopg.connect(primary, autocommit=True) as connection:
            while not ended.wait(_SAMPLED_EVERY):
                waits[0] += int((connection.execute(_LOCK_WAITS).fetchone() or (0,))[0])

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        said = _pgbench(primary, "-N", "-n", "-T", str(seconds), "-c", str(_CLIENTS), "-j", "2", *extra)
    finally:
        ended.set()
        watcher.join()
    tps, latency = re.search(r"tps = ([\d.]+)", said), re.search(r"latency average = ([\d.]+)", said)
    if tps is None or latency is None:
        raise RuntimeError("pgbench said no figure.")
    return Transactions(round(float(tps[1]), 1), round(float(latency[1]), 2), waits[0])


def _pgbench(primary: str, *arguments: str) -> str:
    command = [str(binaries() / "pgbench"), *arguments, primary]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def show(figures: Figures) -> None:
    """Prints rows a second beside COPY, and the writer's ratios."""
    copy = figures["copy_rows_per_s"] or 1
    print(f"\n{figures['rows']:,} payments")
    for name, title in {
        "copy": "COPY binary",
        "postgres_adbc": "PostgreSQL, ADBC",
        "postgres_jdbc": "PostgreSQL, Spark JDBC",
        "mysql_jdbc": "MariaDB, Spark JDBC",
    }.items():
        speed = figures[f"{name}_rows_per_s"]
        print(f"{title:32}" + (f"{speed:>12,} rows/s   {speed / copy:.2f} × COPY" if speed else "    left out"))
    for name, title in {"": "pgbench, steady", "_full_speed": "pgbench, full speed"}.items():
        alone, beside = figures[f"pgbench_tps_alone{name}"] or 0, figures[f"pgbench_tps_with_run{name}"] or 0
        waits = f"{figures[f'lock_waits_alone{name}']} → {figures[f'lock_waits_with_run{name}']}"
        print(f"{title:32}{alone:>9,.0f} → {beside:,.0f} tps   ratio {beside / alone:.2f}   lock waits seen {waits}")


if __name__ == "__main__":
    sys.exit(main())
