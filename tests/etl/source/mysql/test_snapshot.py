"""A server of MySQL is held only while it is a reader, and every kind of session notices when it is none."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from pyspark.sql import SparkSession
from typer.testing import CliRunner

from etl.cli import app
from etl.source import ReadColumn, Slice, hold_snapshot, join_snapshot
from etl.source.guard import EndpointRefused, ReaderChanged
from etl.source.jdbc import jdbc_frame, reading_session
from etl.source.lag import ReaderLags
from schemas.types import ColumnType
from tests.etl.conftest import DAY
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


READER = "'etl_reader'@'127.0.0.1'"
MONITOR = "SLAVE MONITOR"
WRITER = ("CREATE ROLE writer", "GRANT READ_ONLY ADMIN ON *.* TO writer")
ODD = "'etl@reader'@'127.0.0.1'"


@pytest.mark.parametrize(
    ("given", "taken_back", "user"),
    [
        ([f"GRANT READ_ONLY ADMIN ON *.* TO {READER}"], [f"REVOKE READ_ONLY ADMIN ON *.* FROM {READER}"], "etl_reader"),
        ([*WRITER, f"GRANT writer TO {READER}", f"SET DEFAULT ROLE writer FOR {READER}"], ["DROP ROLE writer"],
         "etl_reader"),
        ([*WRITER, "CREATE ROLE staff", "GRANT writer TO staff", f"GRANT staff TO {READER}",
          f"SET DEFAULT ROLE staff FOR {READER}"], ["DROP ROLE staff", "DROP ROLE writer"], "etl_reader"),
        (["CREATE USER {odd} IDENTIFIED BY '{password}'", "GRANT SELECT, READ_ONLY ADMIN ON *.* TO {odd}"],
         ["DROP USER {odd}"], "etl%40reader"),
    ],
    ids=["itself", "by a role", "by a role's role", "by a name with a sign"],
)  # fmt: skip
def test_a_server_that_lets_this_user_write_is_refused(
    mysql: MySql, given: list[str], taken_back: list[str], user: str
) -> None:
    """`read_only` proves nothing to who may write in spite of it, however the right came to him; nothing is written."""
    password = Path(str(mysql.settings.source.password).removeprefix("file:")).read_text(encoding="ascii")
    url = mysql.settings.source.url.replace("etl_reader@", f"{user}@")
    named = {"odd": ODD, "password": password}
    mysql.execute(*(statement.format(**named) for statement in given))
    try:
        with (
            pytest.raises(EndpointRefused, match="read-only, but not for this user") as refused,
            hold_snapshot(mysql.settings.source.model_copy(update={"url": url})),
        ):
            pass
    finally:
        mysql.execute(*(statement.format(**named) for statement in taken_back))
    assert refused.value.exit_code == 2


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


def test_a_lag_that_the_user_may_not_ask_for_is_told_as_unknown(mysql: MySql) -> None:
    """Plan and run say that nobody knows the delay, and which right tells it; with that right they say nothing."""
    told = f"unknown, because the ETL user may not ask, .* GRANT {MONITOR} ON"
    said: list[str] = []

    def heard() -> str:
        said.clear()
        with hold_snapshot(mysql.settings.source, say=lambda step, counts: said.append(f"{step}: {counts}")):
            pass
        return "\n".join(said)

    assert re.search(f"warning: .*{told}", heard())
    planned = CliRunner().invoke(
        app, ["plan", "--table", "clubs", "--day", str(DAY), "--settings", str(mysql.ends.settings)]
    )
    assert planned.exit_code == 0
    assert re.search(f"^Warning: .*{told}", planned.stderr)
    mysql.execute(f"GRANT {MONITOR} ON *.* TO {READER}")
    try:
        assert not heard()
    finally:
        mysql.execute(f"REVOKE {MONITOR} ON *.* FROM {READER}")


@pytest.mark.parametrize("channel", ["", "'writer'"], ids=["the writer", "a writer with a name"])
def test_a_replica_that_follows_nobody_is_not_fresh(mysql: MySql, channel: str) -> None:
    """Where replication is stopped nobody knows how old the rows are: exit code 3, and no row is read."""
    source = mysql.settings.source.model_copy(update={"lag_wait_seconds": 0})
    mysql.execute(
        f"GRANT {MONITOR} ON *.* TO {READER}",
        f"CHANGE MASTER {channel} TO MASTER_HOST = '127.0.0.1', MASTER_PORT = 9, MASTER_USER = 'nobody'",
    )
    try:
        with pytest.raises(ReaderLags, match="follows the writer no longer") as refused, hold_snapshot(source):
            pass
    finally:
        mysql.execute(f"RESET SLAVE {channel} ALL", f"REVOKE {MONITOR} ON *.* FROM {READER}")
    assert refused.value.exit_code == 3
