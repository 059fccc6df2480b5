"""What ends a Spark job of reading rows becomes our error, without the driver's words."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from py4j.protocol import Py4JError
from pyspark.sql import SparkSession

from etl.errors import TRANSIENT, SourceForbidden, SourceUnavailable, StatementTimedOut
from etl.settings import SourceSettings
from etl.source import ReadColumn, Slice, hold_snapshot
from etl.source.jdbc import jdbc_failure, jdbc_frame, reading_session
from etl.source.jdbc.unlogged import after_silence
from etl.source.session import ReadFailed
from etl.source.snapshot import SnapshotLost
from masking.errors import KagemushaError
from schemas.types import ColumnType
from scripts.local_stack.processes import wait_until
from tests.etl.conftest import Issuer
from tests.etl.source.mysql.mysql_source import MySql

pytestmark = pytest.mark.stack


def test_what_ends_sparks_job_is_told_as_ours(issuer: Issuer, mysql: MySql, spark: SparkSession) -> None:
    """A time limit, a missing grant and a lost snapshot are distinguished by their numbers, without foreign text."""
    session = reading_session(spark)
    columns = [ReadColumn("n", ColumnType("int64"))]
    mysql.execute(
        "CREATE DATABASE slow",
        "CREATE VIEW slow.one AS SELECT SLEEP(4) AS n",
        "CREATE TABLE slow.closed AS SELECT 1 AS n",
        "GRANT SELECT ON slow.one TO 'etl_reader'@'127.0.0.1'",
    )

    def failure(source: SourceSettings, table: str, **changed: Any) -> KagemushaError:
        with hold_snapshot(source) as held:
            snapshot = replace(held.snapshot, **changed)
            with pytest.raises(Py4JError) as ended:
                jdbc_frame(session, snapshot, table, columns, Slice(0, "TRUE")).collect()
            return jdbc_failure(ended.value, snapshot, {"source": table})

    try:
        hurried = mysql.settings.source.model_copy(update={"statement_seconds": 1})
        assert isinstance(failure(hurried, "slow.one"), StatementTimedOut)
        assert isinstance(failure(mysql.settings.source, "slow.closed"), SourceForbidden)
    finally:
        mysql.execute("DROP DATABASE slow", "REVOKE SELECT ON slow.one FROM 'etl_reader'@'127.0.0.1'")
    by_jdbc = issuer.settings.source.model_copy(update={"reader": "jdbc"})
    issuer.source("CREATE TABLE public.one AS SELECT 1 AS n")
    lost = failure(by_jdbc, "public.one", name="00000003-00000009-9")
    assert isinstance(lost, SnapshotLost)
    assert "00000003" not in str(lost)
    issuer.source("DROP TABLE public.one")


def test_a_server_that_dies_is_no_refusal(mysql: MySql, spark: SparkSession) -> None:
    """A connection that breaks in the middle of a read ends the run as transient, whatever number its driver gives."""
    mysql.execute(
        "CREATE DATABASE dying",
        "CREATE TABLE dying.held (id INT PRIMARY KEY)",
        "INSERT INTO dying.held VALUES (1)",
        "CREATE VIEW dying.one AS SELECT SLEEP(30) AS n FROM dying.held",  # of a table: not to ask for the columns
        "GRANT SELECT ON dying.one TO 'etl_reader'@'127.0.0.1'",
    )
    reads = "SELECT 1 FROM information_schema.processlist WHERE info LIKE '%dying%' AND user = 'etl_reader'"

    def die() -> None:
        wait_until(lambda: bool(mysql.execute(reads)), 20)
        mysql.stack.kill_mysql()

    try:
        with hold_snapshot(mysql.settings.source) as held, ThreadPoolExecutor(1) as beside:
            columns = [ReadColumn("n", ColumnType("int64"))]
            frame = jdbc_frame(reading_session(spark), held.snapshot, "dying.one", columns, Slice(0, "TRUE"))
            died = beside.submit(die)
            with pytest.raises(Py4JError) as ended:
                frame.collect()
            died.result()
            failure = jdbc_failure(ended.value, held.snapshot, {})
    finally:
        mysql.stack.start_mysql()
    mysql.execute("DROP DATABASE dying", "REVOKE SELECT ON dying.one FROM 'etl_reader'@'127.0.0.1'")
    assert isinstance(failure, SourceUnavailable)
    assert failure.exit_code == TRANSIENT


def test_a_foreign_error_of_jdbc_quotes_no_row(issuer: Issuer, spark: SparkSession) -> None:
    """What the driver throws goes into Spark's log as it is, so the server's details are left out: they quote rows."""
    issuer.source("""CREATE TABLE public.raw AS SELECT '{"name": "影武者\\u0000"}'::json AS document""")
    issuer.source("CREATE VIEW public.spoiled AS SELECT document::jsonb::text AS document FROM public.raw")
    source = issuer.settings.source.model_copy(update={"reader": "jdbc"})
    columns = [ReadColumn("document", ColumnType("string"))]
    with hold_snapshot(source) as held:
        frame = jdbc_frame(reading_session(spark), held.snapshot, "public.spoiled", columns, Slice(0, "TRUE"))
        with pytest.raises(Py4JError) as ended:
            frame.collect()
    issuer.source("DROP VIEW public.spoiled")
    issuer.source("DROP TABLE public.raw")
    assert isinstance(jdbc_failure(ended.value, held.snapshot, {}), ReadFailed)
    assert "unsupported Unicode escape" in str(ended.value)
    assert "影武者" not in str(ended.value)


def test_no_event_log_has_what_a_server_says_of_a_row(issuer: Issuer, spark: SparkSession, tmp_path: Path) -> None:
    """A cast that fails quotes its value, and Spark would write that into its event log, which ends before."""
    issuer.source("CREATE TABLE public.planted AS SELECT 'Kagemusha-planted'::text AS label")
    issuer.source("CREATE VIEW public.cast_away AS SELECT label::int AS n FROM public.planted")
    source = issuer.settings.source.model_copy(update={"reader": "jdbc"})

    def fail(session: SparkSession) -> str:
        """Fails to read the view, and returns what is in the event log by then."""
        frame = jdbc_frame(session, held.snapshot, "public.cast_away", columns, Slice(0, "TRUE"))
        with pytest.raises(Py4JError):
            frame.collect()
        spark._jsc.sc().listenerBus().waitUntilEmpty()
        (events,) = tmp_path.iterdir()
        return events.read_text(encoding="utf-8")

    columns = [ReadColumn("n", ColumnType("int64"))]
    with hold_snapshot(source) as held, event_log(spark, tmp_path):
        before = fail(spark)
        assert "Kagemusha-planted" in before, "Spark itself writes no such text any more"
        assert fail(reading_session(spark)) == before
    issuer.source("DROP VIEW public.cast_away")
    issuer.source("DROP TABLE public.planted")


def test_an_executor_is_silent_before_it_reads(issuer: Issuer, spark: SparkSession) -> None:
    """The task that fails to read has turned its JVM's loggers off by then; one that reads gets every row."""
    source = issuer.settings.source.model_copy(update={"reader": "jdbc"})
    columns = [ReadColumn("n", ColumnType("int64"))]
    issuer.source("CREATE TABLE public.three AS SELECT generate_series(1, 3) AS n")
    issuer.source("CREATE VIEW public.failing AS SELECT 1 / (n - n) AS n FROM public.three")
    level = spark._jvm.org.apache.logging.log4j.LogManager.getLogger  # type: ignore[union-attr]
    with hold_snapshot(source) as held:
        failing = jdbc_frame(spark, held.snapshot, "public.failing", columns, Slice(0, "TRUE"))
        three = jdbc_frame(spark, held.snapshot, "public.three", columns, Slice(0, "TRUE"))
        with pytest.raises(Py4JError):
            after_silence(spark, failing, ["made.up", "made.up.too"]).collect()
        rows = after_silence(spark, three, ["made.up"]).collect()
    issuer.source("DROP VIEW public.failing")
    issuer.source("DROP TABLE public.three")
    assert [str(level(name).getLevel()) for name in ("made.up", "made.up.too")] == ["OFF", "OFF"]
    assert sorted(row[0] for row in rows) == [1, 2, 3]


@contextmanager
def event_log(spark: SparkSession, folder: Path) -> Iterator[None]:
    """Has a running session write an event log, as one that was started with `spark.eventLog.enabled`."""
    jvm: Any = spark._jvm
    context = spark._jsc.sc()
    conf = context.conf().clone().set("spark.eventLog.compress", "false").set("spark.eventLog.buffer.kb", "1k")
    of_hadoop, place = context.hadoopConfiguration(), jvm.java.net.URI(folder.as_uri())
    log = jvm.org.apache.spark.scheduler.EventLoggingListener(
        "events", jvm.scala.Option.empty(), place, conf, of_hadoop
    )
    known = context.getClass().getDeclaredField("_eventLogger")
    known.setAccessible(True)
    log.start()
    context.addSparkListener(log)
    known.set(context, jvm.scala.Option.apply(log))
    try:
        yield
    finally:
        context.removeSparkListener(log)
        known.set(context, jvm.scala.Option.empty())
        log.stop()
