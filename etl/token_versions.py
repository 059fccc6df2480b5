"""Which rows of a published table have tokens of an earlier key version: BigQuery SQL over its tokens' own names."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from etl.handoff import Slice
from etl.warehouse import RETRY, TIMEOUT_SECONDS, Warehouse, translated
from masking.strategies import Tokenize
from schemas.contract import Contract
from schemas.domains import rewritable_columns


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


def tells_version(contract: Contract) -> bool:
    """Tells whether the table's rows name their key version: only tokens of `tokenize` do."""
    return any(isinstance(strategy, Tokenize) for strategy in rewritable_columns(contract).values())


def version_of_row(contract: Contract, alias: str = "") -> str:
    """Gives SQL for the key version that masked a row; NULL where no token of the row names it."""
    return f"CAST(REGEXP_EXTRACT({_naming(contract, alias)}, r'^k([0-9]+)_') AS INT64)"


def is_old(contract: Contract, primary: int) -> str:
    """Gives SQL for: the row was masked under another version than the primary."""
    everywhere = f"{name(contract.partition_by)} >= DATE '0001-01-01' AND " if contract.partition_by else ""
    return f"{everywhere}NOT STARTS_WITH({_naming(contract)}, 'k{primary}_')"


def find_old_rows(warehouse: Warehouse, contract: Contract, primary: int) -> OldRows:
    """Asks BigQuery which parts of a published table hold rows of earlier versions."""
    by = name(contract.partition_by) if contract.partition_by else "CAST(NULL AS DATE)"
    sql = (
        f"SELECT {by} AS day, COUNT(*) AS old FROM `{warehouse.table_id(contract.publish)}` "
        f"WHERE {is_old(contract, primary)} GROUP BY day ORDER BY day"
    )
    with translated("Published tokens could not be counted"):
        found = [
            (row["day"], int(row["old"]))
            for row in warehouse.client.query_and_wait(sql, api_timeout=TIMEOUT_SECONDS, retry=RETRY)
        ]
    slices = tuple(_slice(number, day, by) for number, (day, _) in enumerate(found))
    return OldRows(contract, slices, sum(count for _, count in found))


def any_of(slices: Iterable[Slice]) -> str:
    """Gives SQL for: the row is in one of the slices."""
    return " OR ".join(f"({part.where})" for part in slices)


def name(column: str) -> str:
    """Quotes a column's name, which a contract has limited to letters, digits and underscores."""
    return f"`{column}`"


def _slice(number: int, day: date | None, by: str) -> Slice:
    return Slice(number, f"{by} = DATE '{day.isoformat()}'" if day else "TRUE", day)


def _naming(contract: Contract, alias: str = "") -> str:
    before = f"{alias}." if alias else ""
    columns = [one for one, strategy in rewritable_columns(contract).items() if isinstance(strategy, Tokenize)]
    return f"COALESCE({', '.join(before + name(column) for column in columns)})"
