"""Spark JDBC → Parquet, without masks, in a process and a session of its own, as ours has them.

    python -m scripts.benchmarks.jdbc SETTINGS

The JVM is one as Spark starts it by itself, with the second compiler that its rows need and ours do not. Like ours, it
has read a slice for each core before it is measured. The last line of stdout is what it took, as JSON.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from urllib.parse import urlsplit

from pyspark.sql import SparkSession

from etl.plan import TablePlan
from etl.settings import load_settings
from scripts.benchmarks.ground import DRIVER, FOLDER, bench_session, password_of, planned, told_by
from scripts.benchmarks.staging import to_warm


def jdbc_seconds(settings: Path) -> float | None:
    """Returns how long Spark JDBC took for all payments, in a process of its own; None where there is no driver."""
    if not DRIVER.exists():
        return None
    told: dict[str, Any] = told_by("jdbc", settings)
    return float(told["seconds"])


def measured(settings_file: Path) -> dict[str, float]:
    """Reads and writes all payments in this process and returns what it took."""
    settings = load_settings(settings_file)
    plan, spark = planned(settings), bench_session()
    _read_and_written(spark, settings.source.url, to_warm(spark, plan))
    return {"seconds": _read_and_written(spark, settings.source.url, plan)}


def _read_and_written(spark: SparkSession, url: str, plan: TablePlan) -> float:
    """Returns how long the planned rows and columns took, in a partition a slice."""
    parts = urlsplit(url)
    properties = {
        "user": parts.username or "",
        "password": password_of(url),
        "driver": "org.postgresql.Driver",
        "fetchsize": "10000",
    }
    with TemporaryDirectory(dir=FOLDER) as folder:
        begun = time.monotonic()
        frame = spark.read.jdbc(
            f"jdbc:postgresql://{parts.hostname}:{parts.port}{parts.path}",
            plan.contract.source,
            predicates=[part.where for part in plan.slices],
            properties=properties,
        ).select([plan.contract.source_names[name] for name in plan.contract.selected])
        frame.write.mode("overwrite").option("compression", "zstd").parquet(f"{folder}/payments")
        return time.monotonic() - begun


if __name__ == "__main__":
    print(json.dumps(measured(Path(sys.argv[1]))))
