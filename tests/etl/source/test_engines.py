"""Both engines go through the same plan, stage, audit and publish, and come to the same tables."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from etl.plan import Scope, plan_table
from etl.source import hold_snapshot, join_snapshot
from etl.stage import SourceTotals
from etl.stage.source_totals import SourceMoved, totals_before, unmoved
from schemas.contract_file import load_contracts
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
