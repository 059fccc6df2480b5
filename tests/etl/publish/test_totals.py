"""Totals of a published table, on a real BigQuery server: what they count is the part that was asked for."""

from __future__ import annotations

from decimal import Decimal

import pytest

from etl.cloud.bigquery import Warehouse
from etl.publish import published_totals
from etl.stage import SourceTotals
from schemas.contract_file import load_contracts

pytestmark = pytest.mark.stack


def test_a_part_is_counted_and_summed(warehouse: Warehouse) -> None:
    """Rows and sums are exact and of the part alone; a sum of nothing, or of NULLs, is 0."""
    warehouse.ensure_dataset("totals")
    contract = load_contracts()["rewards"].model_copy(update={"publish": "totals.rewards"})
    assert contract.reconcile == ("points", "value")
    warehouse.client.query_and_wait(
        "CREATE OR REPLACE TABLE totals.rewards AS SELECT DATE '2023-08-30' AS granted_on, 7 AS points, "
        "NUMERIC '0.10' AS value UNION ALL SELECT DATE '2023-08-30', 5, NUMERIC '0.20' "
        "UNION ALL SELECT DATE '2023-08-31', NULL, NULL"
    )
    days = {day: published_totals(warehouse, contract, f"granted_on = DATE '2023-08-{day}'") for day in (30, 31, 29)}
    assert days[30] == SourceTotals(2, {"points": Decimal(12), "value": Decimal("0.3")})
    assert days[31] == SourceTotals(1, {"points": Decimal(0), "value": Decimal(0)})
    assert days[29] == SourceTotals(0, {"points": Decimal(0), "value": Decimal(0)})
    assert published_totals(warehouse, contract, "TRUE").rows == 3
