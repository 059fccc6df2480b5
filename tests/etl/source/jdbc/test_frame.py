"""What Spark shows of a frame: the columns that it must have, and nothing that must not be seen."""

from __future__ import annotations

import json
import logging

import pytest
from pyspark.sql import SparkSession

from etl.source import POSTGRES, ReadColumn, Slice, hold_snapshot
from etl.source.jdbc import jdbc_frame, reading_session
from etl.source.jdbc.frame import named_in
from schemas.types import ColumnType
from tests.etl.source.mysql.mysql_source import MySql


@pytest.mark.stack
def test_neither_password_nor_values_are_in_sparks_plan(
    mysql: MySql, spark: SparkSession, caplog: pytest.LogCaptureFixture
) -> None:
    """Spark's configuration, every form of its plan and Py4J's own log hold no password and no bound of a key."""
    caplog.set_level(logging.DEBUG, logger="py4j")
    session = reading_session(spark)
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
    """Spark's query has every column that a slice's condition names, whatever is in its texts."""
    where = """("a" COLLATE "C" >= 'x "no" ''y') AND "b""c" < DATE '2023-08-30'"""
    assert named_in(Slice(0, where, by="ctid"), POSTGRES) == ['"a"', '"b""c"', '"ctid"']
