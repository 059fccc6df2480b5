"""Both engines go through the same plan, stage, audit and publish, and come to the same tables."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from etl.plan import Scope, plan_table
from etl.source import hold_snapshot, join_snapshot
from etl.stage import SourceTotals
from etl.stage.source_totals import SourceMoved, totals_before, unmoved
from schemas.contract_file import load_contracts
from scripts.issuer.mysql import copy
from tests.etl.conftest import DAY, Issuer, Republish
from tests.etl.source.mysql.mysql_source import MySql

pytestmark = pytest.mark.stack
TABLES = ["payments", "members", "clearings", "delinquencies"]
"""Days and whole tables; every type, token and mask that the contracts use."""


@pytest.fixture(scope="module")
def mysql(issuer: Issuer, mysql: MySql) -> MySql:
    """Returns the copy in MySQL, made anew where the issuer's business went on since."""
    payments = "SELECT count(*) FROM ledger.payments"
    if mysql.execute(payments) != issuer.source(payments):
        copy(issuer.ends.primary_url, mysql.ends.url, mysql.ends.password)
    return mysql


@pytest.fixture(scope="module")
def folder(republished: Republish) -> Path:
    """Returns contracts that publish them where no other test looks, and no view with them."""
    return republished("engines", *TABLES)


@pytest.fixture(scope="module")
def from_postgres(issuer: Issuer, folder: Path) -> dict[str, list[tuple[Any, ...]]]:
    """Returns the tables as PostgreSQL's own reader publishes them; then they are gone again."""
    issuer.load(DAY, *TABLES, contracts=folder)
    found = issuer.checksums(TABLES, folder)
    assert min(len(rows) for rows in found.values()) > 0
    forget(issuer, folder)
    return found


def forget(issuer: Issuer, folder: Path) -> None:
    """Drops what was published."""
    for contract in load_contracts(folder).values():
        issuer.warehouse.client.delete_table(contract.publish, not_found_ok=True)


def test_both_engines_publish_equal_tables(
    issuer: Issuer, mysql: MySql, folder: Path, from_postgres: dict[str, list[tuple[Any, ...]]]
) -> None:
    """Loaded from PostgreSQL and from MySQL, a table holds the same rows, tokens and all; the ledger tells which.

    So it does after changes are merged from MySQL, whose slices end when the run began.
    """
    result = issuer.load(DAY, *TABLES, contracts=folder, settings=mysql.settings)
    assert issuer.checksums(TABLES, folder) == from_postgres
    said = issuer.published(f"SELECT DISTINCT snapshot FROM ops.runs WHERE run_id = '{result.run_id}'")
    assert said == [("per slice",)]
    (merged,) = issuer.load(DAY, "delinquencies", contracts=folder, settings=mysql.settings).tables
    assert 0 < merged.rows < len(from_postgres["delinquencies"])
    assert issuer.checksums(["delinquencies"], folder)["delinquencies"] == from_postgres["delinquencies"]
    forget(issuer, folder)


def test_postgres_by_jdbc_publishes_the_same(
    issuer: Issuer, folder: Path, from_postgres: dict[str, list[tuple[Any, ...]]]
) -> None:
    """`reader = "jdbc"` changes how rows travel and nothing else."""
    source = issuer.settings.source.model_copy(update={"reader": "jdbc", "slice_mib": 1})
    settings = issuer.settings.model_copy(update={"source": source})
    issuer.load(DAY, "clearings", contracts=folder, settings=settings)
    assert issuer.checksums(["clearings"], folder) == {"clearings": from_postgres["clearings"]}


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
