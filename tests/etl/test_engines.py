"""Both engines go through the same plan, stage, audit and publish, and come to the same tables."""

from __future__ import annotations

import json
from decimal import Decimal

import pytest

from etl.errors import EndpointRefused, ReaderChanged, SourceMoved
from etl.handoff import Slice
from etl.plan import plan_table
from etl.reconcile import SourceTotals, totals_before, unmoved
from etl.source.dialect import ReadColumn
from etl.source.engine import joined, pinned
from etl.source.jdbc import jdbc_frame, reading_session
from etl.spark import spark_session
from schemas.contract_file import load_contracts
from schemas.types import ColumnType
from tests.etl.conftest import DAY, Issuer
from tests.etl.mysql_source import MySql

pytestmark = pytest.mark.stack
TABLES = ["payments", "members", "clearings", "delinquencies"]
"""Days and whole tables; every type, token and mask that the contracts use."""


def test_both_engines_publish_equal_tables(issuer: Issuer, mysql: MySql) -> None:
    """Loaded from PostgreSQL and from MySQL, a table holds the same rows, tokens and all; the ledger tells which."""
    assert issuer.run(DAY, *TABLES).exit_code == 0
    from_postgres = issuer.checksums(TABLES)
    for name in TABLES:
        issuer.warehouse.client.delete_table(load_contracts()[name].publish)
    result = issuer.run(DAY, *TABLES, settings=mysql.settings)
    assert [one.error for one in result.tables] == [""] * len(TABLES)
    assert issuer.checksums(TABLES) == from_postgres
    assert min(len(rows) for rows in from_postgres.values()) > 0
    said = issuer.published(f"SELECT DISTINCT snapshot FROM ops.runs WHERE run_id = '{result.run_id}'")
    assert said == [("per slice",)]


def test_postgres_by_jdbc_publishes_the_same(issuer: Issuer) -> None:
    """`reader = "jdbc"` changes how rows travel and nothing else."""
    names = ["clearings", "admin_users"]
    assert issuer.run(DAY, *names).exit_code == 0
    by_adbc = issuer.checksums(names)
    source = issuer.settings.source.model_copy(update={"reader": "jdbc", "slice_mib": 1})
    result = issuer.run(DAY, *names, settings=issuer.settings.model_copy(update={"source": source}))
    assert [one.error for one in result.tables] == ["", ""]
    assert issuer.checksums(names) == by_adbc


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
        with pinned(source) as held, joined(held.snapshot) as session:
            plan = plan_table(session, contract, DAY, 1 << 27)
            assert (totals_before(held.snapshot, plan) is not None) == counted


def test_a_writable_server_is_refused(mysql: MySql) -> None:
    """A server that is not read-only is refused before a row is read, by name, and the exit code says settings."""
    mysql.execute("SET GLOBAL read_only = OFF")
    try:
        with pytest.raises(EndpointRefused, match="Connected to the writer") as refused, pinned(mysql.settings.source):
            pass
    finally:
        mysql.execute("SET GLOBAL read_only = ON")
    assert refused.value.exit_code == 2
    assert "No row was read." in str(refused.value)


def test_a_reader_that_becomes_the_writer_ends_the_run(mysql: MySql) -> None:
    """In the middle of a run, the driver, new control sessions and Spark's own connections all notice a failover."""
    task_columns = [ReadColumn("club_id", ColumnType("int64"))]
    with pinned(mysql.settings.source) as held:
        frame = jdbc_frame(
            reading_session(spark_session()), held.snapshot, "community.clubs", task_columns, Slice(0, "TRUE")
        )
        assert frame.count() > 0
        mysql.execute("SET GLOBAL read_only = OFF")
        try:
            with pytest.raises(ReaderChanged):
                held.check()
            with pytest.raises(ReaderChanged), joined(held.snapshot):
                pass
            with pytest.raises(Exception, match="not on a reader"):
                frame.collect()
        finally:
            mysql.execute("SET GLOBAL read_only = ON")


def test_neither_password_nor_values_are_in_sparks_plan(mysql: MySql) -> None:
    """Spark's configuration and every form of its plan name tables and columns, but no login and no bound of a key."""
    session = reading_session(spark_session())
    with pinned(mysql.settings.source) as held:
        secret = held.snapshot.endpoint.login().password
        part = Slice(1, "`member_id` >= 987654321", by="member_id")
        columns = [ReadColumn("member_id", ColumnType("int64"))]
        frame = jdbc_frame(session, held.snapshot, "issuing.members", columns, part)
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
    assert secret not in shown
    assert "987654321" not in shown
