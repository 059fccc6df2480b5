"""The Spark session: quiet, in UTC, and ready for several tables at once."""

from __future__ import annotations

import os
import sys
from typing import Final

from pyspark.sql import SparkSession

SETTINGS: Final = {
    "spark.sql.session.timeZone": "UTC",
    "spark.scheduler.mode": "FAIR",
    "spark.ui.enabled": "false",
    "spark.sql.shuffle.partitions": "2",
    "spark.sql.execution.arrow.pyspark.enabled": "true",
    "spark.python.worker.reuse": "true",
    "spark.ui.showConsoleProgress": "false",
    "spark.log.level": "ERROR",
}

SMALL_ROWS: Final = 100_000
_FOR_FEW_ROWS: Final = {
    "spark.sql.codegen.wholeStage": "false",
    "spark.sql.codegen.factoryMode": "NO_CODEGEN",
    "spark.sql.adaptive.enabled": "false",
    "spark.sql.shuffle.partitions": "1",
    "spark.sql.session.timeZone": "UTC",
}


def spark_session() -> SparkSession:
    """Gives the running session (Glue, spark-submit), or starts a local one on every core of this machine.

    The workers are told to use this very Python.
    """
    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    builder = SparkSession.builder.appName("kagemusha")
    if SparkSession.getActiveSession() is None and "spark.master" not in dict(_submitted()):
        builder = (
            builder.master("local[*]")
            .config("spark.driver.host", "127.0.0.1")
            .config("spark.driver.bindAddress", "127.0.0.1")
        )
    for name, value in SETTINGS.items():
        builder = builder.config(name, value)
    return builder.getOrCreate()


def session_for(spark: SparkSession, rows: int) -> SparkSession:
    """Gives a session whose queries suit so many rows: below SMALL_ROWS, compiling a query costs more than it saves."""
    if rows > SMALL_ROWS:
        return spark
    session = spark.newSession()
    for name, value in _FOR_FEW_ROWS.items():
        session.conf.set(name, value)
    return session


def _submitted() -> list[tuple[str, str]]:
    from pyspark import SparkConf, SparkContext  # noqa: PLC0415  the JVM starts here, not on import

    context = SparkContext._active_spark_context  # noqa: SLF001  the only way to ask without starting one
    if context is not None:
        return list(context.getConf().getAll())
    return list(SparkConf().getAll()) if "PYSPARK_GATEWAY_PORT" in os.environ else []
