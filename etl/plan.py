"""Plans a table: contract against catalogue, slices, masks; refuses before a row is read."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

from etl.drift import refuse_drift
from etl.handoff import Changes, Slice, TablePlan, Window
from etl.merge_keys import keys_contract
from etl.scope import Scope
from etl.source.catalogue import SourceTable
from etl.source.session import Session
from etl.source.slices import MAX_SLICES, change_slices, changes_condition, days_condition, window_slices
from masking.plan import ColumnRule, MaskPlan
from schemas.contract import Contract


def plan_table(session: Session, contract: Contract, scope: Scope, slice_bytes: int) -> TablePlan:
    """Gives the plan of one table.

    Args:
        session: a control session under the run's snapshot.
        contract: the table's contract.
        scope: which of its rows are read.
        slice_bytes: about how many of the table's bytes one slice should read.

    Raises:
        PlanRejected: the source table and the contract disagree; see `refuse_drift`.
    """
    source = session.describe(contract.source)
    refuse_drift(contract, source, session.dialect.name, () if source else session.relations())
    assert source is not None  # noqa: S101  refuse_drift does not let a missing table pass
    window = scope.days(contract)
    changes = scope.changes(contract, one_state=session.dialect.name == "postgres")
    rows, slices = _slices(session, contract, source, window, changes, slice_bytes, at_once=scope.at_once)
    keys = _keys(session, contract, source, scope, slice_bytes) if scope.compares_keys(contract) else None
    return TablePlan(contract, window, mask_plan(contract, scope.day), slices, rows, changes, keys)


def _keys(session: Session, contract: Contract, source: SourceTable, scope: Scope, slice_bytes: int) -> TablePlan:
    """Gives the plan of all keys of the source: nothing else of the rows is read."""
    only = keys_contract(contract)
    rows, slices = _slices(session, only, source, None, None, slice_bytes)
    return TablePlan(only, None, mask_plan(only, scope.day), slices, rows)


def mask_plan(contract: Contract, day: date) -> MaskPlan:
    """Gives the masks of a contract's selected columns, in order."""
    rules = tuple(
        ColumnRule(name, column.type.arrow, column.mask, frozenset(column.may_look_like))
        for name, column in contract.selected.items()
    )
    return MaskPlan(rules=rules, day=day)


def _slices(
    session: Session,
    contract: Contract,
    source: SourceTable,
    window: Window | None,
    changes: Changes | None,
    slice_bytes: int,
    *,
    at_once: bool = False,
) -> tuple[int, tuple[Slice, ...]]:
    table, column, dialect = contract.source, contract.window_column, session.dialect
    all_rows = session.estimated_rows(table, "TRUE")
    if changes and changes.after:
        rows = session.estimated_rows(table, changes_condition(changes, dialect))
        return rows, change_slices(changes, _parts(source, rows, all_rows, slice_bytes), dialect)
    if window is None or column is None:
        slices = session.slices(source, -(-source.bytes // slice_bytes))
        return all_rows, tuple(replace(one, partition=window.last) for one in slices) if window else slices
    kind = contract.columns[column].type.name
    condition = days_condition(column, kind, window.first, window.last, dialect)
    rows = session.estimated_rows(table, condition)
    if at_once:
        slices = session.slices(source, -(-source.bytes // slice_bytes))
        return rows, tuple(replace(one, where=f"({one.where}) AND {condition}") for one in slices)
    a_day = -(-_parts(source, rows, all_rows, slice_bytes) // len(window.days))
    return rows, window_slices(column, kind, window.days, a_day, dialect)


def _parts(source: SourceTable, rows: int, all_rows: int, slice_bytes: int) -> int:
    """Gives into how many slices some of a table's rows are cut."""
    return min(MAX_SLICES, max(1, -(-source.bytes * rows // max(1, all_rows) // slice_bytes)))
