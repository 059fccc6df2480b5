"""Extreme values of every supported type arrive in BigQuery as they are, or are refused by name: never changed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from decimal import Decimal, localcontext
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
import pytest
from pyspark.sql import SparkSession

from etl.errors import ValuesUnfit
from etl.plan import Scope, plan_table
from etl.plan.drift.refuse import ColumnsRetyped
from etl.settings import Settings
from etl.source import ReadColumn, Slice, hold_snapshot, join_snapshot, read_slice, without_flags
from etl.source.jdbc import fit_text, jdbc_frame, reading_session
from masking.errors import KagemushaError
from schemas.contract_file import load_contract
from schemas.types import ColumnType
from tests.etl.conftest import DAY, Issuer
from tests.etl.source.mysql.mysql_source import MySql
from tests.etl.source.type_cases import (
    MYSQL,
    POSTGRES,
    UNFIT_MYSQL,
    UNFIT_POSTGRES,
    UNHELD_MYSQL,
    UNHELD_POSTGRES,
    Case,
)

pytestmark = pytest.mark.stack


CONTRACT: Final = """\
table: matrix
about: One row for each extreme value.
source: types.matrix
publish: types.matrix
load: {mode: full}
key: [id]
columns:
  id: {type: int64, class: none, mask: {strategy: keep, why: counts rows}}
"""
KEPT: Final = "  {name}: {{type: '{type}', class: none, mask: {{strategy: keep, why: made up}}}}\n"


def contract_of(folder: Path, columns: Mapping[str, str]) -> Path:
    """Writes the contract of a table whose columns have these types; returns its folder."""
    folder.mkdir(exist_ok=True)
    kept = "".join(KEPT.format(name=name, type=kind) for name, kind in columns.items())
    (folder / "matrix.yaml").write_text(CONTRACT + kept, encoding="utf-8")
    (folder / "views").mkdir(exist_ok=True)
    return folder


def table_sql(cases: Mapping[str, Case]) -> list[str]:
    """Returns the statements that make the matrix: row n holds the n-th value of every column, or NULL."""
    columns = ", ".join(f"{name} {case.source}" for name, case in cases.items())
    longest = max(len(case.values) for case in cases.values())
    rows = [
        ", ".join([str(n), *(case.values[n][0] if n < len(case.values) else "NULL" for case in cases.values())])
        for n in range(longest)
    ]
    return [f"CREATE TABLE types.matrix (id bigint PRIMARY KEY, {columns})"] + [
        f"INSERT INTO types.matrix VALUES ({row})" for row in rows
    ]


def expected(cases: Mapping[str, Case]) -> dict[str, list[Any]]:
    """Returns column → values in the order of rows."""
    longest = max(len(case.values) for case in cases.values())
    return {
        name: [case.values[n][1] if n < len(case.values) else None for n in range(longest)]
        for name, case in cases.items()
    }


def shown(columns: Mapping[str, list[Any]]) -> dict[str, str]:
    """Returns values as Python writes them, which tells -0.0 from 0.0 and NaN from nothing; decimals by their value."""
    return {name: repr([_plain(value) for value in values]) for name, values in columns.items()}


def _plain(value: object) -> object:
    if not isinstance(value, Decimal):
        return value
    with localcontext(prec=100):
        return f"{value.normalize():f}"


@pytest.fixture(scope="module")
def in_postgres(issuer: Issuer) -> Iterator[None]:
    """Fills the matrix of PostgreSQL's types."""
    issuer.source("CREATE SCHEMA types; GRANT USAGE ON SCHEMA types TO etl_reader")
    issuer.source("CREATE TYPE types.mood AS ENUM ('静か', 'it''s'); CREATE DOMAIN types.code AS varchar(9)")
    issuer.source("CREATE DOMAIN types.yen AS numeric(14,2) CHECK (value < 1e9)")
    issuer.source("; ".join([*table_sql(POSTGRES), "GRANT SELECT ON types.matrix TO etl_reader"]))
    yield
    issuer.source("DROP SCHEMA types CASCADE")


@pytest.fixture(scope="module")
def in_mysql(mysql: MySql) -> Iterator[None]:
    """Fills the matrix of MySQL's types."""
    settings = "SET SESSION time_zone = '+00:00', sql_mode = 'STRICT_ALL_TABLES'"
    made = "CREATE DATABASE types CHARACTER SET utf8mb4"
    mysql.execute(settings, "SET NAMES utf8mb4", made, *table_sql(MYSQL))
    mysql.execute("GRANT SELECT ON types.* TO 'etl_reader'@'127.0.0.1'")
    yield
    mysql.execute("DROP DATABASE types")


def published(issuer: Issuer, settings: Settings, folder: Path, cases: Mapping[str, Case]) -> dict[str, list[Any]]:
    """Loads the matrix by the daily run and returns what BigQuery holds."""
    issuer.warehouse.client.delete_table("types.matrix", not_found_ok=True)
    contracts = contract_of(folder, {name: case.contract for name, case in cases.items()})
    result = issuer.run(DAY, contracts=contracts, settings=settings)
    assert [one.error for one in result.tables] == [""]
    rows = list(issuer.warehouse.client.query_and_wait("SELECT * FROM types.matrix ORDER BY id"))
    return {name: [row[name] for row in rows] for name in cases}


@pytest.mark.usefixtures("in_postgres")
@pytest.mark.parametrize("reader", ["adbc", "jdbc"])
def test_postgres_values_arrive_as_they_are(issuer: Issuer, tmp_path: Path, reader: str) -> None:
    """Every value of every supported type of PostgreSQL is published exactly, by either reader."""
    source = issuer.settings.source.model_copy(update={"reader": reader})
    settings = issuer.settings.model_copy(update={"source": source})
    found = published(issuer, settings, tmp_path / "schemas", POSTGRES)
    wanted = expected(POSTGRES)
    assert {name: repr(values) for name, values in found.items()} == {
        name: repr(values) for name, values in wanted.items()
    }


@pytest.mark.usefixtures("in_mysql")
def test_mysql_values_arrive_as_they_are(issuer: Issuer, mysql: MySql, tmp_path: Path) -> None:
    """Every value of every supported type of MySQL is published exactly."""
    found = published(issuer, mysql.settings, tmp_path / "schemas", MYSQL)
    wanted = expected(MYSQL)
    assert {name: repr(values) for name, values in found.items()} == {
        name: repr(values) for name, values in wanted.items()
    }


def refused(kind: type[KagemushaError], message: str, batches: Iterator[pa.RecordBatch]) -> None:
    """Expects that reading ends with an error that names the column and quotes no value."""
    with pytest.raises(kind, match=message) as failure:
        list(batches)
    assert failure.value.__context__ is None
    assert "No row" in str(failure.value) or "not published" in str(failure.value)


def flagged(name: str, batches: Iterator[pa.RecordBatch]) -> None:
    """Expects that every value of a column is null, and flagged as one that did not fit."""
    for batch in batches:
        rows, unfit = without_flags(batch)
        assert rows.schema.names == [name]
        assert rows.column(0).null_count == rows.num_rows > 0
        assert unfit[name].all()


@pytest.mark.usefixtures("in_postgres")
def test_postgres_values_that_fit_nowhere_are_refused(issuer: Issuer, spark: SparkSession) -> None:
    """NaN, infinities, too many digits, years that BigQuery lacks and NUL are refused or flagged, by both readers."""
    columns = ", ".join(f"{name} {source}" for name, (source, *_) in UNFIT_POSTGRES.items())
    values = ", ".join(literal for _, literal, *_ in UNFIT_POSTGRES.values())
    issuer.source(f"CREATE TABLE types.unfit ({columns}); INSERT INTO types.unfit VALUES ({values})")
    issuer.source("GRANT SELECT ON types.unfit TO etl_reader")
    session = reading_session(spark)
    with hold_snapshot(issuer.settings.source) as held:
        for name, (_, _, contract, kind) in UNFIT_POSTGRES.items():
            column = ReadColumn(name, ColumnType.parse(contract))
            message = f"1 values of {name}"
            refused(kind, message, read_slice(held.snapshot, "types.unfit", [column], "TRUE"))
            frame = jdbc_frame(session, held.snapshot, "types.unfit", [column], Slice(0, "TRUE"))
            batches = frame._collect_as_arrow()
            refused(kind, message, (fit_text(batch, [column]) for batch in batches))
            decided = replace(column, on_unfit="quarantine")
            flagged(name, read_slice(held.snapshot, "types.unfit", [decided], "TRUE"))
            flagged(name, (fit_text(batch, [decided]) for batch in batches))


@pytest.mark.usefixtures("in_mysql")
def test_mysql_values_that_fit_nowhere_are_refused(mysql: MySql, spark: SparkSession) -> None:
    """Zero dates, numbers that are no bool, and JSON that no text can hold stop the slice or are flagged, counted."""
    columns = ", ".join(f"{name} {source}" for name, (source, *_) in UNFIT_MYSQL.items())
    values = ", ".join(literal for _, literal, *_ in UNFIT_MYSQL.values())
    insert = f"INSERT INTO types.unfit VALUES ({values})"
    mysql.execute("SET SESSION sql_mode = ''", f"CREATE TABLE types.unfit ({columns})", insert, insert)
    session = reading_session(spark)
    with hold_snapshot(mysql.settings.source) as held:
        for name, (_, _, contract, message) in UNFIT_MYSQL.items():
            column = ReadColumn(name, ColumnType.parse(contract))
            frame = jdbc_frame(session, held.snapshot, "types.unfit", [column], Slice(0, "TRUE"))
            batches = frame._collect_as_arrow()
            refused(ValuesUnfit, message, (fit_text(batch, [column]) for batch in batches))
            decided = replace(column, on_unfit="null")
            flagged(name, (fit_text(batch, [decided]) for batch in batches))


@pytest.mark.usefixtures("in_postgres", "in_mysql")
@pytest.mark.parametrize("engine", ["postgres", "mysql"])
def test_types_without_a_row_in_the_table_are_refused_with_the_reason(
    issuer: Issuer, mysql: MySql, tmp_path: Path, engine: str
) -> None:
    """A column whose type none of ours holds exactly stops the plan; each says why, and what to do instead."""
    unheld = UNHELD_POSTGRES if engine == "postgres" else UNHELD_MYSQL
    columns = ", ".join(f"{name} {source}" for name, (source, _) in unheld.items())
    if engine == "postgres":
        issuer.source("CREATE TYPE types.pair AS (a int, b int)")
        issuer.source(f"CREATE TABLE types.unheld (id bigint, {columns}); GRANT SELECT ON types.unheld TO etl_reader")
    else:
        mysql.execute(f"CREATE TABLE types.unheld (id bigint, {columns})")
    folder = contract_of(tmp_path / "schemas", dict.fromkeys(unheld, "string"))
    contract = load_contract(folder / "matrix.yaml").model_copy(update={"source": "types.unheld"})
    source = (issuer.settings if engine == "postgres" else mysql.settings).source
    with (
        hold_snapshot(source) as held,
        join_snapshot(held.snapshot) as session,
        pytest.raises(ColumnsRetyped) as failure,
    ):
        plan_table(session, contract, Scope(DAY), 1 << 27)
    for name, (_, reason) in unheld.items():
        assert name in failure.value.what
        assert reason in str(failure.value)
