"""Measures the way from database to staged Parquet beside three others, in one run, on one table of payments.

    ours        ADBC → mask → leak gate → Parquet → Cloud Storage, by Spark tasks
    copy        psql, COPY … (FORMAT binary) of the same rows to /dev/null, the whole table and the columns that we read
    spark jdbc  Spark JDBC → Parquet of the same rows, unmasked (left out where there is no driver)
    row-wise    psycopg rows, every value masked by a Python call, on a sample

Figures are wall-clock on this machine; ratios compare what ran side by side. Written to .local/bench/end_to_end.json.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final
from urllib.parse import parse_qs, urlsplit

ROOT: Final = Path(__file__).resolve().parents[1]
if str(ROOT) not in sys.path:  # run as a file, not as a module
    sys.path.insert(0, str(ROOT))

from pyspark.sql import SparkSession  # noqa: E402  needs the path above

from etl.cloud.storage import StagingLocation  # noqa: E402  the same
from etl.keys import create_keyring_file  # noqa: E402  the same
from etl.plan import Scope, TablePlan, plan_table  # noqa: E402  the same
from etl.settings import Settings, load_settings  # noqa: E402  the same
from etl.source import POSTGRES, ReadColumn, hold_snapshot, join_snapshot  # noqa: E402  the same
from etl.spark import spark_session  # noqa: E402  the same
from etl.stage import Stager  # noqa: E402  the same
from masking.keyring import KeyRef  # noqa: E402  the same
from schemas.columns import Column  # noqa: E402  the same
from schemas.contract_file import load_contract  # noqa: E402  the same
from scripts.local_stack.local_stack import LocalStack  # noqa: E402  the same
from scripts.row_wise import mask_row_by_row  # noqa: E402  the same

FOLDER: Final = ROOT / ".local" / "bench"
FIRST_DAY: Final = date(2023, 8, 29)
LAST_DAY: Final = date(2023, 8, 31)
DRIVER: Final = Path("/usr/share/java/postgresql.jar")
MYSQL_DRIVER: Final = Path("/usr/share/java/mariadb-java-client.jar")
SAMPLE_ROWS: Final = 20_000
SLICE_MIB: Final = 64


def main() -> int:
    """Measures, prints and writes the figures."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rows", type=int, default=3_000_000, help="payments in the table (default 3,000,000)")
    parser.add_argument("--runs", type=int, default=3, help="how often ours and copy run in turn; the median counts")
    given = parser.parse_args()
    FOLDER.mkdir(parents=True, exist_ok=True)
    stack = LocalStack(FOLDER / "stack")
    ends = stack.up()
    try:
        seed(ends.primary_url, given.rows)
        figures = measure(load_settings(ends.settings), given.runs)
    finally:
        stack.reset()
    (FOLDER / "end_to_end.json").write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")
    show(figures)
    return 0


def seed(url: str, rows: int) -> None:
    """Fills the benchmark's own database with three business days of payments."""
    begun = time.monotonic()
    command = [sys.executable, "scripts/synth.py", "create", "--url", url, "--scale", str(rows)]
    command += ["--first-day", str(FIRST_DAY), "--last-day", str(LAST_DAY)]
    subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
    print(f"seeded about {rows:,} payments in {time.monotonic() - begun:.0f} s", flush=True)


def bench_session() -> SparkSession:
    """Returns a session with the JDBC drivers of this machine, whose workers have our modules loaded already."""
    drivers = ",".join(str(driver) for driver in (DRIVER, MYSQL_DRIVER) if driver.exists())
    os.environ["PYSPARK_SUBMIT_ARGS"] = (
        f"--driver-memory 2g --jars {drivers} pyspark-shell" if drivers else "pyspark-shell"
    )
    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    os.environ["PYTHONPATH"] = os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])  # the workers' modules
    session = SparkSession.builder.appName("bench").master("local[*]").config("spark.driver.host", "127.0.0.1")
    session = session.config("spark.ui.showConsoleProgress", "false")
    session.config("spark.driver.bindAddress", "127.0.0.1").getOrCreate()  # the JVM as Spark starts it by itself
    spark = spark_session()
    spark.sparkContext.parallelize(range(8), 8).map(lambda number: __import__("etl.stage.task") and number).collect()
    return spark


def measure(settings: Settings, runs: int) -> dict[str, float | int | None]:
    """Returns rows a second of each way."""
    contract = load_contract(ROOT / "schemas" / "payments.yaml")
    spark = bench_session()
    key_file = FOLDER / "stack" / "keyring.json"
    if not key_file.exists():
        create_keyring_file(key_file)
    key = KeyRef(f"file:{key_file}")
    target = StagingLocation.of(settings)
    ours, copies, selected, peak = [], [], [], 0
    with hold_snapshot(settings.source) as held:
        with join_snapshot(held.snapshot) as source:
            plan = plan_table(source, contract, Scope(LAST_DAY), SLICE_MIB * 1024 * 1024)
        for number in range(runs):
            copies.append(copy_seconds(settings.source.url, plan, plan.contract.columns))
            selected.append(copy_seconds(settings.source.url, plan, plan.contract.selected))
            staged = Stager(spark, held, key, target, f"bench-{number}").stage_slices(plan)
            ours.append(staged.seconds)
            peak = max(peak, staged.peak_mib)
            print(f"run {number + 1}: ours {ours[-1]:.1f} s, copy {copies[-1]:.1f} s, {staged.rows:,} rows", flush=True)
    rows = staged.rows
    row_wise_rows, row_wise_seconds = mask_row_by_row(settings.source.url, plan, SAMPLE_ROWS)
    return {
        "rows": rows,
        "ours_rows_per_s": round(rows / median(ours)),
        "copy_rows_per_s": round(rows / median(copies)),
        "copy_selected_rows_per_s": round(rows / median(selected)),
        "spark_jdbc_rows_per_s": jdbc_rows_per_s(spark, settings.source.url, plan),
        "row_wise_python_rows_per_s": round(row_wise_rows / row_wise_seconds),
        "peak_worker_mib": peak,
        "cores": os.cpu_count(),
    }


def median(seconds: list[float]) -> float:
    """Returns the middle one of an odd number of measurements."""
    return sorted(seconds)[len(seconds) // 2]


def copy_seconds(url: str, plan: TablePlan, chosen: Mapping[str, Column]) -> float:
    """Returns how long `psql` takes to COPY the planned rows of some columns in binary form to nowhere."""
    columns = [ReadColumn(name, column.type) for name, column in chosen.items()]
    where = " OR ".join(f"({part.where})" for part in plan.slices)
    sql = f"COPY ({POSTGRES.select(plan.contract.source, columns, where)}) TO STDOUT (FORMAT binary)"
    begun = time.monotonic()
    with Path(os.devnull).open("wb") as nowhere:
        subprocess.run(["psql", url, "--no-psqlrc", "-c", sql], check=True, stdout=nowhere)
    return time.monotonic() - begun


def jdbc_rows_per_s(spark: SparkSession, url: str, plan: TablePlan) -> int | None:
    """Returns the speed of Spark JDBC → Parquet without masks, with as many partitions as ours has slices."""
    if not DRIVER.exists():
        print("spark jdbc: left out, there is no driver in /usr/share/java")
        return None
    parts = urlsplit(url)
    lines = Path(parse_qs(parts.query)["passfile"][0]).read_text(encoding="utf-8").splitlines()
    (password,) = {line.split(":")[4] for line in lines if line.split(":")[3] == parts.username}
    predicates = [part.where for part in plan.slices]
    properties = {
        "user": parts.username or "",
        "password": password,
        "driver": "org.postgresql.Driver",
        "fetchsize": "10000",
    }
    with TemporaryDirectory(dir=FOLDER) as folder:
        begun = time.monotonic()
        frame = spark.read.jdbc(
            f"jdbc:postgresql://{parts.hostname}:{parts.port}{parts.path}",
            plan.contract.source,
            predicates=predicates,
            properties=properties,
        )
        frame.write.mode("overwrite").option("compression", "zstd").parquet(f"{folder}/payments")
        seconds = time.monotonic() - begun
        rows = spark.read.parquet(f"{folder}/payments").count()
    return round(rows / seconds)


def show(figures: dict[str, float | int | None]) -> None:
    """Prints rows a second and ours in proportion to each."""
    ours = figures["ours_rows_per_s"] or 0
    print(
        f"\n{figures['rows']:,} payments, {figures['cores']} cores, peak worker memory {figures['peak_worker_mib']} MiB"
    )
    names = {
        "ours": "ours",
        "copy": "COPY binary, all columns",
        "copy_selected": "COPY binary, selected columns",
        "spark_jdbc": "Spark JDBC → Parquet, unmasked",
    }
    for name, title in {**names, "row_wise_python": "row-wise Python masker"}.items():
        speed = figures[f"{name}_rows_per_s"]
        print(f"{title:32}" + (f"{speed:>12,} rows/s   ours is {ours / speed:.2f} ×" if speed else "    left out"))


if __name__ == "__main__":
    sys.exit(main())
