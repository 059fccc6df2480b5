"""Queries to begin with: of a table, of a join, of a view; each names a day where BigQuery demands one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from schemas.contract import Contract

_SHOWN: Final = 12
_DAY: Final = "business_date"
"""The date of views by day; others are by month, and small."""
_WEEK: Final = "DATE_SUB(CURRENT_DATE('Asia/Tokyo'), INTERVAL 7 DAY)"


def table_query(project: str, contract: Contract) -> str:
    """Returns a query that shows rows of a table, of its last week where it has days."""
    columns = ",\n  ".join(contract.published[:_SHOWN])
    return f"SELECT\n  {columns}\nFROM `{project}.{contract.publish}`{_days(contract, '')}\nLIMIT 100"


def join_query(project: str, contract: Contract, other: Contract, column: str, key: str) -> str:
    """Returns a query that joins a table to another by tokens; columns of one name are shown once.

    Rows of a table's last week are joined with the other's of whenever, unless BigQuery demands days of that one too.
    """
    twice = [name for name in other.published if name in contract.published]
    if len(twice) == len(other.published):
        shown = "a.*"
    else:
        shown = f"a.*, b.* EXCEPT ({', '.join(twice)})" if twice else "a.*, b.*"
    asked = _days(contract, "a.")
    if other.require_partition_filter or not asked:
        asked += _days(other, "b.").replace("WHERE", "AND", 1 if asked else 0)
    return (
        f"SELECT {shown}\nFROM `{project}.{contract.publish}` AS a\n"
        f"JOIN `{project}.{other.publish}` AS b ON b.{key} = a.{column}{asked}\nLIMIT 100"
    )


def view_query(project: str, dataset: str, name: str, columns: Sequence[str], date: str | None) -> str:
    """Returns a query that shows rows of a view, of its last week where it has days."""
    shown = ",\n  ".join(columns[:_SHOWN]) or "*"
    where = f"\nWHERE {date} >= {_WEEK}" if date == _DAY else ""
    return f"SELECT\n  {shown}\nFROM `{project}.{dataset}.{name}`{where}\nLIMIT 100"


def _days(contract: Contract, alias: str) -> str:
    return f"\nWHERE {alias}{contract.partition_by} >= {_WEEK}" if contract.partition_by else ""
