"""Staging alone, in a process and a session of its own, as a run makes them; and COPY of the same rows.

    python -m scripts.benchmarks.staging SETTINGS

The last line of stdout is what staging took, as JSON.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from statistics import median

from pyspark.sql import SparkSession

from etl.cloud.storage import StagingLocation
from etl.plan import TablePlan
from etl.settings import Settings, load_settings
from etl.source import POSTGRES, ReadColumn, hold_snapshot
from etl.spark import spark_session
from etl.stage import Staged, Stager
from masking.keyring import KeyRef
from schemas.columns import Column
from scripts.benchmarks.ground import planned, told_by


@dataclass(frozen=True)
class Staging:
    """What staging all payments took.

    Attributes:
        rows: that were staged.
        seconds: of wall-clock time.
        worker_mib: the largest memory of a worker.
        bytes: of Parquet.
    """

    rows: int
    seconds: float
    worker_mib: int
    bytes: int


def staged_apart(settings: Path) -> Staging:
    """Returns what staging took in a process of its own."""
    return Staging(**told_by("staging", settings))


def measured(settings_file: Path) -> Staging:
    """Stages all payments in this process and returns what it took; a slice for each worker was staged before."""
    settings = load_settings(settings_file)
    plan, spark = planned(settings), spark_session()
    _staged(spark, settings, to_warm(spark, plan), "bench-warm")
    staged = _staged(spark, settings, plan, "bench")
    return Staging(staged.rows, staged.seconds, staged.peak_mib, staged.bytes)


def to_warm(spark: SparkSession, plan: TablePlan) -> TablePlan:
    """Returns a plan of a slice for each core: read before anything is measured, it loads and compiles what reads."""
    return replace(plan, slices=plan.slices[: spark.sparkContext.defaultParallelism])


def _staged(spark: SparkSession, settings: Settings, plan: TablePlan, name: str) -> Staged:
    """Stages all slices of a plan as a run does, under a snapshot of its own."""
    with hold_snapshot(settings.source) as held:
        stager = Stager(spark, held, KeyRef(settings.keyring.ref), StagingLocation.of(settings), name)
        return stager.stage_slices(plan)


def copy_seconds(url: str, plan: TablePlan, chosen: Mapping[str, Column]) -> float:
    """Returns how long `psql` takes to COPY the planned rows of some columns in binary form to nowhere."""
    columns = [ReadColumn(name, column.type) for name, column in chosen.items()]
    where = " OR ".join(f"({part.where})" for part in plan.slices)
    sql = f"COPY ({POSTGRES.select(plan.contract.source, columns, where)}) TO STDOUT (FORMAT binary)"
    begun = time.monotonic()
    with Path(os.devnull).open("wb") as nowhere:
        subprocess.run(["psql", url, "--no-psqlrc", "-c", sql], check=True, stdout=nowhere)
    return time.monotonic() - begun


def rows_per_s(rows: int, seconds: list[float]) -> int | None:
    """Returns the speed of the median of several measurements; None where there is none."""
    return round(rows / median(seconds)) if seconds else None


if __name__ == "__main__":
    print(json.dumps(asdict(measured(Path(sys.argv[1])))))
