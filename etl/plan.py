"""Plans a table: contract against catalogue, slices, masks; refuses before a row is read."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

from etl.drift import refuse_drift
from etl.handoff import Slice, TablePlan, Window
from etl.source.catalogue import SourceTable
from etl.source.session import Session
from etl.source.slices import window_slices
from masking.plan import ColumnRule, MaskPlan
from schemas.contract import Contract
from schemas.loads import PartitionLoad, SnapshotLoad


def plan_table(session: Session, contract: Contract, day: date, slice_bytes: int) -> TablePlan:
    """Gives the plan of one table for one business day.

    Args:
        session: a control session under the run's snapshot.
        contract: the table's contract.
        day: the target business day (JST).
        slice_bytes: about how many of the table's bytes one slice should read.

    Raises:
        PlanRejected: the source table and the contract disagree; see `refuse_drift`.
    """
    source = session.describe(contract.source)
    refuse_drift(contract, source, session.dialect.name, () if source else session.relations())
    assert source is not None  # noqa: S101  refuse_drift does not let a missing table pass
    window = _window(contract, day)
    rows, slices = _slices(session, contract, source, window, slice_bytes)
    return TablePlan(contract, window, mask_plan(contract, day), slices, rows)


def _window(contract: Contract, day: date) -> Window | None:
    if isinstance(contract.load, PartitionLoad):
        return Window.ending(day, contract.load.lookback_days)
    return Window(day, day) if isinstance(contract.load, SnapshotLoad) else None


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
    slice_bytes: int,
) -> tuple[int, tuple[Slice, ...]]:
    table, column = contract.source, contract.window_column
    if window is None or column is None:
        slices = session.slices(source, -(-source.bytes // slice_bytes))
        of_a_day = tuple(replace(one, partition=window.last) for one in slices) if window else slices
        return session.estimated_rows(table, "TRUE"), of_a_day
    kind = contract.columns[column].type.name
    whole_days = window_slices(column, kind, window.days, 1, session.dialect)
    rows = session.estimated_rows(table, " OR ".join(f"({one.where})" for one in whole_days))
    all_rows = max(1, session.estimated_rows(table, "TRUE"))
    a_day = -(-source.bytes * rows // all_rows // len(window.days) // slice_bytes)
    return rows, window_slices(column, kind, window.days, max(1, a_day), session.dialect)
