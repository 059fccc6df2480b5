"""Gathers what a table is compared with besides its source: the tables that it joins, and its earlier loads."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from datetime import date

from google.cloud import bigquery

from etl.audit import Surroundings
from etl.errors import PublishRefused
from etl.handoff import Staged
from etl.ledger import Ledger
from etl.survey import Columns, Join
from etl.warehouse import Warehouse
from expectations.volume import LoadSize
from schemas.contract import Contract
from schemas.loads import FullLoad, SnapshotLoad

History = Mapping[str, tuple[LoadSize, ...]]
"""Table → sizes of its published loads of other business days, newest first."""
_LOADS_KEPT = 60


def surroundings(
    staged: Staged,
    day: date,
    contracts: Mapping[str, Contract],
    others: Mapping[str, Staged],
    history: History,
    warehouse: Warehouse,
) -> Surroundings:
    """Gives what the audit of one staged table compares it with.

    A joined table is taken as this run staged it; where the run staged none of it or only the days of its window, as it
    is published too. A join to a table that exists in neither place is left out: there is nothing to look in yet.

    Args:
        staged: the table to audit.
        day: the business day that is loaded.
        contracts: every known one.
        others: what this run has staged of the other tables.
        history: of all tables.
        warehouse: where tables are published.
    """
    contract = staged.plan.contract
    joins = []
    for column, target in contract.joins.items():
        table, _, key = target.partition(".")
        parent = contracts.get(table)
        if parent is None or key not in parent.published:
            continue
        where = _parent(parent, key, others.get(table), warehouse)
        if where is not None:
            joins.append(Join(column, target, _staged(staged, column), where))
    return Surroundings(tuple(joins), warehouse.settings, history.get(contract.table, ()), day)


def load_history(warehouse: Warehouse, tables: Iterable[str], day: date) -> History:
    """Gives the sizes of the tables' last published loads of other days; a day that was loaded again counts once.

    A ledger that cannot tell — of an earlier version, or not there yet — gives none.
    """
    ledger = warehouse.table_id(f"{warehouse.settings.ops_dataset}.table_loads")
    sql = (
        "SELECT table_name, `rows`, nulls FROM ("
        " SELECT *, ROW_NUMBER() OVER (PARTITION BY table_name ORDER BY day DESC) AS age FROM ("
        "  SELECT table_name, day, `rows`, nulls,"
        "   ROW_NUMBER() OVER (PARTITION BY table_name, day ORDER BY `at` DESC) AS nth"
        f"  FROM `{ledger}` WHERE outcome = 'published' AND nulls IS NOT NULL AND day <> @day"
        f" ) AS once WHERE nth = 1) AS newest WHERE age <= {_LOADS_KEPT} ORDER BY table_name, age"
    )
    rows = []
    try:
        rows = Ledger(warehouse).read(sql, [bigquery.ScalarQueryParameter("day", "DATE", day)])
    except PublishRefused:
        return {}
    found: dict[str, list[LoadSize]] = {name: [] for name in tables}
    for row in rows:
        nulls = {name: int(count) for name, count in json.loads(row["nulls"]).items()}
        found.setdefault(row["table_name"], []).append(LoadSize(int(row["rows"]), nulls))
    return {name: tuple(sizes) for name, sizes in found.items()}


def _parent(parent: Contract, key: str, staged: Staged | None, warehouse: Warehouse) -> Columns | None:
    here = _staged(staged, key) if staged is not None else None
    if here is not None and isinstance(parent.load, FullLoad | SnapshotLoad):
        return here
    table = warehouse.find_table(parent.publish)
    if table is None or key not in {field.name for field in table.schema}:
        return None
    condition = f" WHERE `{parent.partition_by}` >= '0001-01-01'" if parent.partition_by else ""
    select = f"SELECT DISTINCT `{key}` FROM `{warehouse.table_id(parent.publish)}`{condition}"
    rows = int(table.num_rows or 0)
    if here is None:
        return Columns(key, select=select, rows=rows)
    return Columns(key, here.files, here.schema, select, rows + here.rows)


def _staged(staged: Staged, column: str) -> Columns:
    names = tuple(file.name for file in staged.files)
    return Columns(column, names, staged.plan.output_schema, rows=staged.rows)
