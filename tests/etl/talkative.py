"""A program that says what it can of a planted value: every expectation, failing conditions, loggers, workers, deaths.

    python talkative.py PLANTED EXPECTATIONS-AS-JSON

It prints what each check came to, and `limit` with the largest core file of the driver and of a worker.
"""

from __future__ import annotations

import json
import logging
import resource
import ssl
import sys
import threading
import warnings
from collections.abc import Iterator
from typing import Any

import pyarrow as pa
from pyspark.sql import SparkSession

from etl.cloud.storage import StagingLocation
from etl.entry import attempted
from etl.spark import session_for, spark_session
from etl.stage import worker_stage
from expectations.checks import Check
from expectations.validate import validate

HALVES = (sys.argv[1][:7], sys.argv[1][7:])
"""The value stands in no program, plan or argument as it is: only what quotes a row can say it."""
NOWHERE = StagingLocation("nowhere", "none", "http://127.0.0.1:9", "local")


def rows(_: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """Yields rows that hold the value, as a worker reads staged files, and has Python say it in every way."""
    planted = "".join(HALVES)
    worker_stage(NOWHERE)
    logging.getLogger("foreign").debug("read %s", planted)
    logging.getLogger("foreign").error(planted, exc_info=ValueError(planted))
    warnings.warn(planted, stacklevel=1)
    texts = pa.array([planted, planted + "x", None])
    yield pa.RecordBatch.from_arrays([texts, pa.array([1, 2, 3]), texts], ["status", "amount", "other"])


def limit(_: int) -> tuple[int, int]:
    """Returns how large a core file a worker may write once it has begun to work."""
    worker_stage(NOWHERE)
    return resource.getrlimit(resource.RLIMIT_CORE)


def keys_of_tls(_: int) -> str | None:
    """Returns where a worker would write the keys of TLS sessions."""
    worker_stage(NOWHERE)
    return ssl.create_default_context().keylog_filename


def limits_of_jvm(spark: SparkSession) -> list[object]:
    """Returns what keeps the JVM from writing its memory, and has it open what TLS would speak of."""
    jvm: Any = spark._jvm
    jvm.javax.net.ssl.SSLContext.getDefault()
    options = jvm.java.lang.management.ManagementFactory.getPlatformMXBean(
        jvm.java.lang.Class.forName("com.sun.management.HotSpotDiagnosticMXBean")
    )
    dumps = options.getVMOption("HeapDumpOnOutOfMemoryError").getValue()
    return [resource.prlimit(jvm.java.lang.ProcessHandle.current().pid(), resource.RLIMIT_CORE), dumps]


def expectations(spark: SparkSession) -> None:
    """Runs every check; what each came to is a word."""
    frame = session_for(spark, 1).range(1).mapInArrow(rows, "status string, amount long, other string")
    checks = [Check(one["expect"], one["kwargs"]) for one in json.loads(sys.argv[2])]
    for result in validate(frame.persist(), checks, "all"):
        told = "passed" if result.passed else result.error or "failed"
        sys.stdout.write(f"{result.check.expect} {told}\n")


def deaths() -> None:
    """Dies of the value in a thread, and while another error that quotes it is being handled."""

    def die() -> None:
        raise ValueError("".join(HALVES))

    thread = threading.Thread(target=die)
    thread.start()
    thread.join()
    try:
        die()
    except ValueError:
        raise KeyboardInterrupt from None


def talk() -> int:
    """Says everything that it can."""
    logging.basicConfig(level=logging.DEBUG)
    spark = spark_session()
    log4j = spark._jvm.org.apache.logging.log4j  # type: ignore[union-attr]
    planted = "".join(HALVES)
    log4j.LogManager.getLogger("foreign.Java").error(planted, spark._jvm.java.lang.RuntimeException(planted))  # type: ignore[union-attr]
    logging.getLogger("foreign").error("said %s", planted)
    limits = spark.sparkContext.parallelize([0], 1).map(limit).collect()
    sys.stdout.write(f"limit {resource.getrlimit(resource.RLIMIT_CORE)} {limits}\n")
    keys = spark.sparkContext.parallelize([0], 1).map(keys_of_tls).collect()
    sys.stdout.write(f"keys of TLS: {ssl.create_default_context().keylog_filename} {keys}\n")
    sys.stdout.write(f"of the JVM: {limits_of_jvm(spark)}\n")
    expectations(spark)
    spark.stop()
    deaths()
    return 0


if __name__ == "__main__":
    attempted(talk)
