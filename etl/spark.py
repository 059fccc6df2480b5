"""The Spark session: quiet, in UTC, and ready for several tables at once."""

from __future__ import annotations

import os
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from pathlib import Path
from typing import Final

from pyspark import __version__ as spark_version
from pyspark.sql import SparkSession

from etl.logs import no_core_dumps, withhold_messages_of_jvm

SETTINGS: Final = {
    "spark.sql.session.timeZone": "UTC",
    "spark.scheduler.mode": "FAIR",
    "spark.ui.enabled": "false",
    "spark.sql.execution.arrow.pyspark.enabled": "true",
    "spark.python.worker.reuse": "true",
    "spark.sql.execution.pyspark.udf.simplifiedTraceback.enabled": "false",  # else the audit gets workers of its own
    "spark.ui.showConsoleProgress": "false",
    "spark.log.level": "OFF",
}

_ALWAYS: Final = frozenset({"spark.sql.session.timeZone"})
_SHORT_LIVED: Final = "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC"
"""For our own sessions on this machine: a run of one small table takes a sixth less time (5.9 s, not 7.0), and one of a
million rows that all pass through the JVM no more (31 s with them, 32 s without). A cluster's JVMs stay as they are.
"""
_LOADED_ONCE: Final = "etl.stage.daemon"  # by the parent of Python workers; elsewhere it may not find our package
_ONE_MACHINE: Final = {
    "spark.driver.host": "127.0.0.1",
    "spark.driver.bindAddress": "127.0.0.1",
    "spark.sql.shuffle.partitions": "2",
}

_DEBIAN_DRIVERS: Final = ("/usr/share/java/mariadb-java-client.jar", "/usr/share/java/postgresql.jar")
"""JDBC drivers that a session of our own finds; elsewhere --jars or the runtime brings them."""

SMALL_ROWS: Final = 100_000
_FOR_FEW_ROWS: Final = {
    "spark.sql.codegen.wholeStage": "false",
    "spark.sql.codegen.factoryMode": "NO_CODEGEN",
    "spark.sql.adaptive.enabled": "false",
    "spark.sql.shuffle.partitions": "1",
    "spark.sql.session.timeZone": "UTC",
}

CLASS_ARCHIVE: Final = Path(sys.prefix, "share", "kagemusha", f"spark-{spark_version}.jsa")
"""Spark's classes as one JVM left them (`kagemusha local warm`): where it is, a local session starts in half the time.

The JVM looks whether archive, Java and jars belong together, and does without where they do not.
"""

_STARTING: Final = threading.Lock()
"""While a session starts in one thread, another must not look at what is there by half."""


def begin_session() -> None:
    """Begins to start the session and a Python worker, which takes seconds, while a run still asks whether it may.

    `spark_session` waits for the session, and so does a process that ends. On a cluster nothing begins: there a session
    takes workers from others.
    """
    if not on_cluster():
        ThreadPoolExecutor(1, thread_name_prefix="spark").submit(lambda: _use(spark_session()))


def _use(spark: SparkSession) -> None:
    spark.sparkContext.parallelize([0], 1).count()


def spark_session() -> SparkSession:
    """Returns the running session (Glue), the one that spark-submit configured, or a local one on every core.

    Workers on this machine are told to use this very Python; which one a cluster's workers have, Spark knows better.
    What spark-submit was told wins, but for the time zone. The driver's JVM logs classes and places, no messages; other
    executors log as their cluster says, and nothing once they read rows by JDBC.
    """
    with _STARTING:
        return _session(_from_archive())


def recording_session(archive: Path) -> SparkSession:
    """Returns a local session whose JVM writes the classes that it loaded to `archive` when it ends."""
    with _STARTING:
        return _session(f"-XX:ArchiveClassesAtExit={archive} -Xlog:disable")


def _from_archive() -> str:
    return f"-XX:SharedArchiveFile={CLASS_ARCHIVE} -Xlog:disable" if CLASS_ARCHIVE.exists() else ""


def _session(java_options: str) -> SparkSession:
    no_core_dumps()
    submitted = dict(_submitted())
    builder = SparkSession.builder.appName("kagemusha")
    if "spark.master" not in submitted:
        builder = builder.master("local[*]").config("spark.driver.extraJavaOptions", f"{_SHORT_LIVED} {java_options}")
        builder = builder.config("spark.driver.extraClassPath", ":".join(_DEBIAN_DRIVERS))
        builder = builder.config("spark.python.daemon.module", _LOADED_ONCE)
    local = submitted.get("spark.master", "local").startswith("local")
    if local:
        os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    for name, value in {**SETTINGS, **(_ONE_MACHINE if local else {})}.items():
        if name not in submitted or name in _ALWAYS:
            builder = builder.config(name, value)
    session = builder.getOrCreate()
    withhold_messages_of_jvm(session)
    return session


def on_cluster() -> bool:
    """Tells whether executors are, or will be, processes of their own; asking starts no session."""
    master = dict(_submitted()).get("spark.master", "local")
    return master != "local" and not master.startswith("local[")


def slots(spark: SparkSession) -> int:
    """Returns how many tasks can run at once; where executors come and go with the work, once all have come."""
    context = spark.sparkContext
    conf = context.getConf()
    most = int(conf.get("spark.dynamicAllocation.maxExecutors") or 0)
    if conf.get("spark.dynamicAllocation.enabled") != "true" or not most:
        return int(context.defaultParallelism)
    return max(int(context.defaultParallelism), most * int(conf.get("spark.executor.cores") or 1))


def session_for(spark: SparkSession, rows: int) -> SparkSession:
    """Returns a session that suits so many rows: below SMALL_ROWS, compiling a query costs more than it saves."""
    return spark if rows > SMALL_ROWS else _session_for_few_rows(spark)


@lru_cache(maxsize=1)
def _session_for_few_rows(spark: SparkSession) -> SparkSession:
    """Returns one more session on the same context, made once: its own analyzer and optimizer take a while to load."""
    session = spark.newSession()
    for name, value in _FOR_FEW_ROWS.items():
        session.conf.set(name, value)
    return session


def _submitted() -> list[tuple[str, str]]:
    from pyspark import SparkConf, SparkContext  # noqa: PLC0415  the JVM starts here, not on import

    context = SparkContext._active_spark_context  # noqa: SLF001  the only way to ask without starting one
    if context is not None:
        return list(context.getConf().getAll())
    if "PYSPARK_GATEWAY_PORT" not in os.environ:
        return []
    SparkContext._ensure_initialized()  # noqa: SLF001  before it, SparkConf knows nothing of what spark-submit was told
    return list(SparkConf().getAll())
