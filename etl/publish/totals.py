"""What a published table holds, counted by BigQuery: rows, and the sums of the contract's `reconcile` columns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal

from etl.cloud.bigquery import Warehouse, quoted
from etl.stage import SourceTotals
from schemas.contract import Contract


def totals_by_day(
    warehouse: Warehouse, table: str, contract: Contract, by: str | None
) -> Mapping[date | None, SourceTotals]:
    """Returns the row count and the sums of each business day of a table of a contract's columns; without days, of all.

    Args:
        warehouse: where it is.
        table: its full name.
        contract: names the columns to add up.
        by: the column of the day; None for one count of the whole table.

    Raises:
        PublishRefused, PublishFailed: BigQuery could not count.
    """
    day = quoted(by) if by else "CAST(NULL AS DATE)"
    sums = [f"COALESCE(SUM({quoted(column)}), 0)" for column in contract.reconcile]
    sql = f"SELECT {', '.join([day, 'COUNT(*)', *sums])} FROM `{table}`{' GROUP BY 1' if by else ''}"
    found = {}
    for row in warehouse.rows("Loaded rows could not be counted", sql):
        of_day, count, *totals = row.values()
        found[of_day] = _totals(contract, count, totals)
    return found


def published_totals(warehouse: Warehouse, contract: Contract, where: str) -> SourceTotals:
    """Returns the row count and the sums of a part of a published table, to be compared with another count of it.

    Args:
        warehouse: where it is published.
        contract: of the table.
        where: SQL for the part; a table may demand that its partitions be named.

    Raises:
        PublishRefused, PublishFailed: BigQuery could not count.
    """
    return totals_of(warehouse, f"`{warehouse.table_id(contract.publish)}` WHERE {where}", contract)


def totals_of(warehouse: Warehouse, rows: str, contract: Contract) -> SourceTotals:
    """Returns the row count and the sums of what follows FROM in a query of ours.

    Raises:
        PublishRefused, PublishFailed: BigQuery could not count.
    """
    sums = [f"COALESCE(SUM({quoted(column)}), 0)" for column in contract.reconcile]
    sql = f"SELECT {', '.join(['COUNT(*)', *sums])} FROM {rows}"
    (row,) = warehouse.rows("Published rows could not be counted", sql)
    count, *totals = row.values()
    return _totals(contract, count, totals)


def _totals(contract: Contract, count: object, totals: Sequence[object]) -> SourceTotals:
    sums = {column: Decimal(str(total)) for column, total in zip(contract.reconcile, totals, strict=True)}
    return SourceTotals(int(str(count)), sums)
