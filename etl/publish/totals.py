"""What a published table holds, counted by BigQuery: rows, and the sums of the contract's `reconcile` columns."""

from __future__ import annotations

from decimal import Decimal

from etl.cloud.bigquery import Warehouse, quoted
from etl.stage import SourceTotals
from schemas.contract import Contract


def published_totals(warehouse: Warehouse, contract: Contract, where: str) -> SourceTotals:
    """Returns the row count and the sums of a part of a published table, to be compared with another count of it.

    Args:
        warehouse: where it is published.
        contract: of the table.
        where: SQL for the part; a table may demand that its partitions be named.

    Raises:
        PublishRefused, PublishFailed: BigQuery could not count.
    """
    sums = [f"COALESCE(SUM({quoted(column)}), 0)" for column in contract.reconcile]
    table = warehouse.table_id(contract.publish)
    sql = f"SELECT {', '.join(['COUNT(*)', *sums])} FROM `{table}` WHERE {where}"
    (row,) = warehouse.rows("Published rows could not be counted", sql)
    count, *totals = row.values()
    return SourceTotals(
        int(count), {column: Decimal(str(total)) for column, total in zip(contract.reconcile, totals, strict=True)}
    )
