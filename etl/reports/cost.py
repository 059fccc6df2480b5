"""What a question costs before it is asked: BigQuery's own dry run, the list price, and what is left of the free tier.

Sources: BigQuery documentation, "Estimate and control costs" (dry runs; on-demand queries are billed by TiB read, at
least 10 MB for each table; the first TiB a month of a billing account is free); "JOBS view".
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from etl.cloud.bigquery import Warehouse
from etl.errors import PublishFailed, PublishRefused
from etl.settings import Settings

_TIB: Final = 2**40
FREE_BYTES_A_MONTH: Final = _TIB
_NOT_ASKED: Final = "Nothing was read, and nothing is billed."


@dataclass(frozen=True)
class Cost:
    """What one question would read.

    Attributes:
        read: bytes.
        usd: at the list price of the settings, without what is free.
        free_left: bytes of this month's free tier that this project has not used; None where BigQuery does not tell.
    """

    read: int
    usd: float
    free_left: int | None

    @property
    def billed_usd(self) -> float:
        """What is billed beyond the free tier, as far as this project knows; the list price where it does not."""
        if self.free_left is None or not self.read:
            return self.usd
        return self.usd * max(0, self.read - self.free_left) / self.read


def cost(settings: Settings, sql: str) -> Cost:
    """Returns what a query would cost; BigQuery plans it and reads nothing.

    Raises:
        PublishRefused: the query is wrong or not allowed.
        PublishFailed: BigQuery failed.
    """
    warehouse = Warehouse.of(settings)
    return _cost(settings, warehouse, sql, free_bytes_left(warehouse))


def cost_of_views(settings: Settings) -> dict[str, Cost]:
    """Returns what each published view would cost to read whole, by its name.

    Raises:
        PublishRefused, PublishFailed: as of `cost`.
    """
    warehouse, dataset = Warehouse.of(settings), settings.bigquery.views_dataset
    left = free_bytes_left(warehouse)
    names = [view.table_id for view in warehouse.tables("The views could not be listed", dataset)]
    queries = {name: f"SELECT * FROM `{warehouse.table_id(f'{dataset}.{name}')}`" for name in names}
    return {name: _cost(settings, warehouse, sql, left) for name, sql in queries.items()}


def _cost(settings: Settings, warehouse: Warehouse, sql: str, left: int | None) -> Cost:
    read = warehouse.bytes_of("The query cannot be planned", sql, _NOT_ASKED)
    return Cost(read, read / _TIB * settings.costs.scan_usd_tib, left)


def free_bytes_left(warehouse: Warehouse) -> int | None:
    """Returns how much of this month's free tier the project's queries have left; None where it may not be known."""
    region = warehouse.settings.location.lower()
    sql = (
        f"SELECT COALESCE(SUM(total_bytes_billed), 0) AS billed FROM `region-{region}`.INFORMATION_SCHEMA.JOBS "
        "WHERE creation_time >= TIMESTAMP_TRUNC(CURRENT_TIMESTAMP(), MONTH) AND job_type = 'QUERY'"
    )
    try:
        (row,) = warehouse.rows("The month's queries could not be added up", sql)
    except (PublishFailed, PublishRefused):
        return None
    return max(0, FREE_BYTES_A_MONTH - int(row["billed"]))
