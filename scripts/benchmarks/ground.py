"""What every measurement stands on: a stack of its own, filled with payments, and a plan of them."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Any, Final
from urllib.parse import parse_qs, quote, urlsplit

from pyspark.sql import SparkSession

from etl.keys import create_keyring_file
from etl.plan import Scope, TablePlan, plan_table
from etl.settings import Settings, load_settings
from etl.source import hold_snapshot, join_snapshot
from etl.spark import spark_session
from schemas.contract_file import load_contract
from scripts.local_stack.local_stack import Endpoints, LocalStack

ROOT: Final = Path(__file__).resolve().parents[2]
FOLDER: Final = ROOT / ".local" / "bench"
FIRST_DAY: Final = date(2023, 8, 29)
LAST_DAY: Final = date(2023, 8, 31)
DRIVER: Final = Path("/usr/share/java/postgresql.jar")
MYSQL_DRIVER: Final = Path("/usr/share/java/mariadb-java-client.jar")
SLICE_MIB: Final = 64


@contextmanager
def ground(root: Path, rows: int) -> Iterator[Endpoints]:
    """Yields a stack with about so many payments of three business days; it is removed in the end."""
    stack = LocalStack(root)
    stack.reset()
    try:
        ends = stack.up()
        keyring = Path(load_settings(ends.settings).keyring.ref.removeprefix("file:"))
        if not keyring.exists():
            create_keyring_file(keyring)
        seed(ends.primary_url, rows)
        yield ends
    finally:
        stack.reset()
        shutil.rmtree(root, ignore_errors=True)


def seed(url: str, rows: int) -> None:
    """Fills a database with three business days of payments."""
    begun = time.monotonic()
    command = [sys.executable, "scripts/synth.py", "create", "--url", url, "--scale", str(rows)]
    command += ["--first-day", str(FIRST_DAY), "--last-day", str(LAST_DAY)]
    subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
    print(f"seeded about {rows:,} payments in {time.monotonic() - begun:.0f} s", flush=True)


def planned(settings: Settings) -> TablePlan:
    """Returns the plan of all payments that were seeded."""
    contract = load_contract(ROOT / "schemas" / "payments.yaml")
    with hold_snapshot(settings.source) as held, join_snapshot(held.snapshot) as source:
        return plan_table(source, contract, Scope(LAST_DAY), SLICE_MIB * 1024 * 1024)


def bench_session() -> SparkSession:
    """Returns a session with the JDBC drivers of this machine, whose workers have our modules loaded already."""
    drivers = ",".join(str(driver) for driver in (DRIVER, MYSQL_DRIVER) if driver.exists())
    os.environ["PYSPARK_SUBMIT_ARGS"] = (
        f"--driver-memory 2g --jars {drivers} pyspark-shell" if drivers else "pyspark-shell"
    )
    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    os.environ["PYTHONPATH"] = os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])  # the workers' modules
    session = SparkSession.builder.appName("bench").master("local[*]").config("spark.driver.host", "127.0.0.1")
    session = session.config("spark.ui.showConsoleProgress", "false").config("spark.log.level", "OFF")
    session.config("spark.driver.bindAddress", "127.0.0.1").getOrCreate()  # the JVM as Spark starts it by itself
    spark = spark_session()
    spark.sparkContext.parallelize(range(8), 8).map(lambda number: __import__("etl.stage.task") and number).collect()
    return spark


def told_by(module: str, *arguments: Path) -> dict[str, Any]:
    """Runs a module of the benchmark in a process of its own and returns what its last line says, as JSON."""
    command = [sys.executable, "-m", f"scripts.benchmarks.{module}", *map(str, arguments)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYSPARK_PYTHON": sys.executable}
    environment.pop("PYSPARK_SUBMIT_ARGS", None)  # of this process's session
    done = subprocess.run(command, check=True, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True)
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def password_of(url: str) -> str:
    """Returns the password that a URL's file of passwords has for its user."""
    parts = urlsplit(url)
    lines = Path(parse_qs(parts.query)["passfile"][0]).read_text(encoding="utf-8").splitlines()
    (password,) = {line.split(":")[4] for line in lines if line.split(":")[3] == parts.username}
    return password


def with_password(url: str) -> str:
    """Returns a URL for clients that know no file of passwords; it is for their stdin, never for a command line."""
    parts = urlsplit(url)
    user = f"{parts.username}:{quote(password_of(url), safe='')}"
    return f"postgresql://{user}@{parts.hostname}:{parts.port}{parts.path}"
