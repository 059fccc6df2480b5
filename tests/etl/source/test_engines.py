"""Both engines go through the same plan, stage, audit and publish, and come to the same tables."""

from __future__ import annotations

import json
import logging
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from py4j.protocol import Py4JError

from etl.errors import SourceForbidden, StatementTimedOut
from etl.plan.plan import plan_table
from etl.plan.scope import Scope
from etl.settings import SourceSettings
from etl.source.dialect import POSTGRES, ReadColumn
from etl.source.guard import EndpointRefused, ReaderChanged
from etl.source.jdbc.failures import jdbc_failure
from etl.source.jdbc.frame import jdbc_frame, named_in, reading_session
from etl.source.open import hold_snapshot, join_snapshot
from etl.source.session import ReadFailed
from etl.source.slice import Slice
from etl.source.snapshot import SnapshotLost
from etl.spark import spark_session
from etl.stage.source_totals import SourceMoved, SourceTotals, totals_before, unmoved
from masking.errors import KagemushaError
from schemas.contract_file import load_contracts
from schemas.types import ColumnType
from tests.etl.conftest import DAY, Issuer
from tests.etl.source.mysql.mysql_source import MySql

pytestmark = pytest.mark.stack
TABLES = ["payments", "members", "clearings", "delinquencies"]
"""Days and whole tables; every type, token and mask that the contracts use."""


@pytest.fixture(scope="module")
def from_postgres(issuer: Issuer) -> dict[str, list[tuple[Any, ...]]]:
    """Returns the tables as PostgreSQL's own reader publishes them; then they are gone again."""
    forget(issuer, *TABLES)  # days that other tests published
    assert issuer.run(DAY, *TABLES).exit_code == 0
    found = issuer.checksums(TABLES)
    assert min(len(rows) for rows in found.values()) > 0
    forget(issuer, *TABLES)
    return found


def forget(issuer: Issuer, *tables: str) -> None:
    """Drops published tables."""
    for name in tables:
        issuer.warehouse.client.delete_table(load_contracts()[name].publish, not_found_ok=True)


def test_both_engines_publish_equal_tables(
    issuer: Issuer, mysql: MySql, from_postgres: dict[str, list[tuple[Any, ...]]]
) -> None:
    """Loaded from PostgreSQL and from MySQL, a table holds the same rows, tokens and all; the ledger tells which.

    So it does after changes are merged from MySQL, whose slices end when the run began.
    """
    result = issuer.run(DAY, *TABLES, settings=mysql.settings)
    assert [one.error for one in result.tables] == [""] * len(TABLES)
    assert issuer.checksums(TABLES) == from_postgres
    said = issuer.published(f"SELECT DISTINCT snapshot FROM ops.runs WHERE run_id = '{result.run_id}'")
    assert said == [("per slice",)]
    (merged,) = issuer.run(DAY, "delinquencies", settings=mysql.settings).tables
    assert (merged.error, 0 < merged.rows < len(from_postgres["delinquencies"])) == ("", True)
    assert issuer.checksums(["delinquencies"])["delinquencies"] == from_postgres["delinquencies"]
    forget(issuer, *TABLES)


def test_postgres_by_jdbc_publishes_the_same(issuer: Issuer, from_postgres: dict[str, list[tuple[Any, ...]]]) -> None:
    """`reader = "jdbc"` changes how rows travel and nothing else."""
    source = issuer.settings.source.model_copy(update={"reader": "jdbc", "slice_mib": 1})
    result = issuer.run(DAY, "clearings", settings=issuer.settings.model_copy(update={"source": source}))
    assert [one.error for one in result.tables] == [""]
    assert issuer.checksums(["clearings"]) == {"clearings": from_postgres["clearings"]}


def test_a_table_that_moved_is_not_published(issuer: Issuer, mysql: MySql) -> None:
    """Where slices are not one snapshot, totals before and after reading must agree; under a snapshot one is enough."""
    before, after = SourceTotals(10, {"amount": Decimal(5)}), SourceTotals(11, {"amount": Decimal(5)})
    assert unmoved(before, before, "payments") == before
    assert unmoved(None, after, "payments") == after
    with pytest.raises(SourceMoved, match="changed while it was read") as moved:
        unmoved(before, after, "payments")
    assert moved.value.exit_code == 3
    contract = load_contracts()["clubs"]
    for source, counted in ((issuer.settings.source, False), (mysql.settings.source, True)):
        with hold_snapshot(source) as held, join_snapshot(held.snapshot) as session:
            plan = plan_table(session, contract, Scope(DAY), 1 << 27)
            assert (totals_before(held, plan) is not None) == counted


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


def test_a_reader_that_becomes_the_writer_ends_the_run(mysql: MySql) -> None:
    """In the middle of a run, the driver, new control sessions and Spark's own connections all notice a failover."""
    task_columns = [ReadColumn("club_id", ColumnType("int64"))]
    with hold_snapshot(mysql.settings.source) as held:
        frame = jdbc_frame(
            reading_session(spark_session()), held.snapshot, "community.clubs", task_columns, Slice(0, "TRUE")
        )
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


def test_neither_password_nor_values_are_in_sparks_plan(mysql: MySql, caplog: pytest.LogCaptureFixture) -> None:
    """Spark's configuration, every form of its plan and Py4J's own log hold no password and no bound of a key."""
    caplog.set_level(logging.DEBUG, logger="py4j")
    session = reading_session(spark_session())
    with hold_snapshot(mysql.settings.source) as held:
        secret = held.snapshot.endpoint.login().password
        part = Slice(1, "`member_id` >= 987654321", by="member_id")
        columns = [ReadColumn("member_id", ColumnType("int64"))]
        frame = jdbc_frame(session, held.snapshot, "issuing.members", columns, part)
        assert frame.count() == 0
        query = frame._jdf.queryExecution()
        shown = "\n".join(
            [
                query.toString(),
                query.logical().toJSON(),
                query.executedPlan().toJSON(),
                query.executedPlan().treeString(),
                json.dumps(session.sparkContext.getConf().getAll()),
                str(session.sql("SET").collect()),
            ]
        )
    assert secret
    assert "JDBCRelation" in shown
    assert "member_id" in shown
    assert "sessionInitStatement" in caplog.text
    shown += caplog.text
    assert secret not in shown
    assert "987654321" not in shown


def test_a_condition_may_name_several_columns() -> None:
    """Spark's query has every column that a slice's condition names, whatever stands in its texts."""
    where = """("a" COLLATE "C" >= 'x "no" ''y') AND "b""c" < DATE '2023-08-30'"""
    assert named_in(Slice(0, where, by="ctid"), POSTGRES) == ['"a"', '"b""c"', '"ctid"']


def test_what_ends_sparks_job_is_told_as_ours(issuer: Issuer, mysql: MySql) -> None:
    """A time limit, a missing grant and a lost snapshot are told apart by their numbers, without foreign text."""
    session = reading_session(spark_session())
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


def test_a_foreign_error_of_jdbc_quotes_no_row(issuer: Issuer) -> None:
    """What the driver throws goes into Spark's log as it is, so the server's details are left out: they quote rows."""
    issuer.source("""CREATE TABLE public.spoiled AS SELECT '{"name": "影武者\\u0000"}'::json AS document""")
    source = issuer.settings.source.model_copy(update={"reader": "jdbc"})
    columns = [ReadColumn("document", ColumnType("json"))]
    with hold_snapshot(source) as held:
        frame = jdbc_frame(reading_session(spark_session()), held.snapshot, "public.spoiled", columns, Slice(0, "TRUE"))
        with pytest.raises(Py4JError) as ended:
            frame.collect()
    issuer.source("DROP TABLE public.spoiled")
    assert isinstance(jdbc_failure(ended.value, held.snapshot, {}), ReadFailed)
    assert "unsupported Unicode escape" in str(ended.value)
    assert "影武者" not in str(ended.value)
