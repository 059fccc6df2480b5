"""Finds the rows of a published table whose tokens are of an earlier key version."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from etl.cloud.bigquery import Warehouse, quoted
from etl.publish import is_old
from etl.source import Slice
from schemas.contract import Contract


@dataclass(frozen=True)
class OldRows:
    """The parts of a published table that hold rows of earlier key versions.

    Attributes:
        contract: of the table.
        slices: one a business day, or one for the whole of a table without partitions.
        rows: how many rows there are of earlier versions.
    """

    contract: Contract
    slices: tuple[Slice, ...]
    rows: int


def find_old_rows(warehouse: Warehouse, contract: Contract, primary: int) -> OldRows:
    """Asks BigQuery which parts of a published table hold rows of earlier versions."""
    by = quoted(contract.partition_by) if contract.partition_by else "CAST(NULL AS DATE)"
    sql = (
        f"SELECT {by} AS day, COUNT(*) AS old FROM `{warehouse.table_id(contract.publish)}` "
        f"WHERE {is_old(contract, primary)} GROUP BY day ORDER BY day"
    )
    days = warehouse.rows("Published tokens could not be counted", sql)
    slices = tuple(_slice(number, row["day"], by) for number, row in enumerate(days))
    return OldRows(contract, slices, sum(int(row["old"]) for row in days))


def any_of(slices: Iterable[Slice]) -> str:
    """Returns SQL for: the row is in one of the slices."""
    return " OR ".join(f"({part.where})" for part in slices)


def _slice(number: int, day: date | None, by: str) -> Slice:
    return Slice(number, f"{by} = DATE '{day.isoformat()}'" if day else "TRUE", day)
