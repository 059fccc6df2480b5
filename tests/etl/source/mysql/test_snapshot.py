"""A server of MySQL is held only while it is a reader, and every kind of session notices when it is none."""

from __future__ import annotations

import pytest
from pyspark.sql import SparkSession

from etl.source import ReadColumn, Slice, hold_snapshot, join_snapshot
from etl.source.guard import EndpointRefused, ReaderChanged
from etl.source.jdbc import jdbc_frame, reading_session
from etl.source.lag import ReaderLags
from schemas.types import ColumnType
from tests.etl.source.mysql.mysql_source import MySql

pytestmark = pytest.mark.stack


def test_a_writable_server_is_refused(mysql: MySql) -> None:
    """A server that is not read-only is refused before a row is read, by name, and the exit code says settings."""
    mysql.execute("SET GLOBAL read_only = OFF")
    try:
        with (
            pytest.raises(EndpointRefused, match="Connected to the writer") as refused,
            hold_snapshot(mysql.settings.source),
        ):
            pass
    finally:
        mysql.execute("SET GLOBAL read_only = ON")
    assert refused.value.exit_code == 2
    assert "No row was read." in str(refused.value)


def test_a_reader_that_becomes_the_writer_ends_the_run(mysql: MySql, spark: SparkSession) -> None:
    """In the middle of a run, the driver, new control sessions and Spark's own connections all notice a failover."""
    task_columns = [ReadColumn("club_id", ColumnType("int64"))]
    with hold_snapshot(mysql.settings.source) as held:
        frame = jdbc_frame(reading_session(spark), held.snapshot, "community.clubs", task_columns, Slice(0, "TRUE"))
        assert frame.count() > 0
        mysql.execute("SET GLOBAL read_only = OFF")
        try:
            with pytest.raises(ReaderChanged):
                held.check()
            with pytest.raises(ReaderChanged), join_snapshot(held.snapshot):
                pass
            with pytest.raises(Exception, match="not on a reader"):
                frame.collect()
        finally:
            mysql.execute("SET GLOBAL read_only = ON")


@pytest.mark.parametrize("channel", ["", "'writer'"], ids=["the writer", "a writer with a name"])
def test_a_replica_that_follows_nobody_is_not_fresh(mysql: MySql, channel: str) -> None:
    """Where replication is stopped nobody knows how old the rows are: exit code 3, and no row is read."""
    source = mysql.settings.source.model_copy(update={"lag_wait_seconds": 0})
    mysql.execute(
        "GRANT SLAVE MONITOR ON *.* TO 'etl_reader'@'127.0.0.1'",
        f"CHANGE MASTER {channel} TO MASTER_HOST = '127.0.0.1', MASTER_PORT = 9, MASTER_USER = 'nobody'",
    )
    try:
        with pytest.raises(ReaderLags, match="follows the writer no longer") as refused, hold_snapshot(source):
            pass
    finally:
        mysql.execute(f"RESET SLAVE {channel} ALL", "REVOKE SLAVE MONITOR ON *.* FROM 'etl_reader'@'127.0.0.1'")
    assert refused.value.exit_code == 3
