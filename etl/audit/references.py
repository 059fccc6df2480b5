"""Gathers what a table is compared with apart from its source: the tables that it joins, and its earlier loads."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import date

from etl.audit.orphans import Columns, Join
from etl.audit.verdict import References
from etl.cloud.bigquery import Warehouse
from etl.ledger import History
from etl.stage import Staged
from schemas.contract import Contract
from schemas.loads import FullLoad, SnapshotLoad


def joined_tables(contract: Contract) -> frozenset[str]:
    """Returns the tables that a contract's columns join."""
    return frozenset(target.partition(".")[0] for target in contract.joins.values())


def joined_first(tables: Sequence[str], joins: Mapping[str, Collection[str]]) -> list[str]:
    """Returns the tables in their order, but each after those that it joins; of tables in a circle one comes first."""
    order: dict[str, None] = {}
    entered: set[str] = set()

    def enter(name: str) -> None:
        if name in entered or name not in joins:
            return
        entered.add(name)
        for other in sorted(joins[name]):
            enter(other)
        order[name] = None

    for name in tables:
        enter(name)
    return list(order)


def gather_references(
    staged: Staged,
    day: date,
    contracts: Mapping[str, Contract],
    others: Mapping[str, Staged],
    history: History,
    warehouse: Warehouse,
) -> References:
    """Returns what the audit of one staged table compares it with.

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
    return References(tuple(joins), warehouse.settings, history.get(contract.table, ()), day)


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
