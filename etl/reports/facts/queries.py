"""Queries to begin with: of a table, of a join, of a view; each names a day where BigQuery demands one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from schemas.contract import Contract

_SHOWN: Final = 12
_WEEK: Final = "DATE_SUB(CURRENT_DATE('Asia/Tokyo'), INTERVAL 7 DAY)"


def table_query(project: str, contract: Contract) -> str:
    """Returns a query that shows rows of a table, of its last week where it has days."""
    columns = ",\n  ".join(contract.published[:_SHOWN])
    return f"SELECT\n  {columns}\nFROM `{project}.{contract.publish}`{_days(contract, '')}\nLIMIT 100"


def join_query(project: str, contract: Contract, other: Contract, column: str, key: str) -> str:
    """Returns a query that joins a table to another by tokens."""
    where = _days(contract, "a.") or _days(other, "b.")
    return (
        f"SELECT a.*, b.*\nFROM `{project}.{contract.publish}` AS a\n"
        f"JOIN `{project}.{other.publish}` AS b ON b.{key} = a.{column}{where}\nLIMIT 100"
    )


def view_query(project: str, dataset: str, name: str, columns: Sequence[str]) -> str:
    """Returns a query that shows rows of a view."""
    shown = ",\n  ".join(columns[:_SHOWN]) or "*"
    return f"SELECT\n  {shown}\nFROM `{project}.{dataset}.{name}`\nLIMIT 100"


def _days(contract: Contract, alias: str) -> str:
    return f"\nWHERE {alias}{contract.partition_by} >= {_WEEK}" if contract.partition_by else ""
