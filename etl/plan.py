"""Plans a table: contract against catalogue, slices, masks; refuses before a row is read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date

from etl.errors import NO_ROW_READ, PlanRejected
from etl.handoff import Slice, TablePlan, Window
from etl.source.catalogue import SourceColumn, SourceTable
from etl.source.session import Session
from etl.source.slices import window_slices
from masking.plan import ColumnRule, MaskPlan
from schemas.contract import Contract
from schemas.loads import PartitionLoad, SnapshotLoad
from schemas.types import ColumnType, EngineName, suggest

_TABLES = frozenset({"r", "p"})


def plan_table(session: Session, contract: Contract, day: date, slice_bytes: int) -> TablePlan:
    """Gives the plan of one table for one business day.

    Args:
        session: a control session under the run's snapshot.
        contract: the table's contract.
        day: the target business day (JST).
        slice_bytes: about how many of the table's bytes one slice should read.

    Raises:
        PlanRejected: the source table is missing or unreadable, has a column without a decision, lacks a column of the
            contract, or gives a column another type.
    """
    source = session.describe(contract.source)
    if source is None:
        raise PlanRejected(
            f"The source has no table {contract.source}, or the ETL user may not see it.",
            not_done=NO_ROW_READ,
            advice="Correct `source:` in the contract, or grant USAGE on the schema.",
            where={"table": contract.table},
        )
    _refuse_drift(contract, source, session.dialect.name)
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


def _refuse_drift(contract: Contract, source: SourceTable, engine: EngineName) -> None:
    where = {"table": contract.table, "file": f"schemas/{contract.table}.yaml"}
    present = {column.name: column for column in source.columns}
    undecided = [column for column in source.columns if column.name not in contract.columns]
    if undecided:
        have = "has" if len(undecided) == 1 else "have"
        raise PlanRejected(
            f"{_count(undecided, 'column')} of {contract.source} {have} no decision: "
            + ", ".join(f"{column.name} ({column.type})" for column in undecided)
            + ".",
            not_done=NO_ROW_READ,
            advice="Add to the contract's columns:\n"
            + "\n".join(f"  {suggestion(column, engine)}" for column in undecided)
            + "\n ",
            where=where,
        )
    missing = [name for name in contract.columns if name not in present]
    if missing:
        raise PlanRejected(
            f"{contract.source} lacks {_count(missing, 'column')} of the contract: {', '.join(missing)}.",
            not_done=NO_ROW_READ,
            advice="Remove the column from the contract, or correct its name.",
            where=where,
        )
    retyped = [
        f"{name} is {_spelled(present[name])}, the contract says {column.type}"
        for name, column in contract.selected.items()
        if not _holds(present[name], contract.columns[name].type, engine)
    ]
    if retyped:
        raise PlanRejected(
            f"{_count(retyped, 'column')} of {contract.source} changed type: {'; '.join(retyped)}.",
            not_done=NO_ROW_READ,
            advice="Correct the column's `type:`; types without a row in the types table need `drop`.",
            where=where,
        )
    for name, lost in ((contract.day_column, "day is in no window"), (contract.watermark, "time is never read again")):
        if name and source.kind in _TABLES and not present[name].not_null:
            raise PlanRejected(
                f"{contract.source}.{name} may be NULL, and a row without a {lost}.",
                not_done=NO_ROW_READ,
                advice="Make the column NOT NULL at the source, or load the table with `mode: full`.",
                where=where,
            )
    unreadable = [name for name in contract.selected if not present[name].readable]
    if unreadable:
        raise PlanRejected(
            f"The ETL user may not read {_count(unreadable, 'column')} of {contract.source}: {', '.join(unreadable)}.",
            not_done=NO_ROW_READ,
            advice="Grant SELECT on the table to the ETL user.",
            where=where,
        )


def _holds(column: SourceColumn, wanted: ColumnType, engine: EngineName) -> bool:
    if column.type not in wanted.held(engine):
        return False
    if wanted.name != "numeric" or column.precision is None or column.scale is None:
        return True
    return column.scale <= wanted.scale and column.precision - column.scale <= wanted.precision - wanted.scale


def suggestion(column: SourceColumn, engine: EngineName) -> str:
    """Gives the YAML line that decides a column in the safest way: it does not leave the database."""
    fitting = suggest(column.type, column.precision, column.scale, engine) or "string"
    kind = "free_text" if fitting in {"string", "json"} else "none"
    spelled = f'"{fitting}"' if "," in fitting else fitting  # a comma would end the value in YAML's braces
    return f"{column.name}: {{type: {spelled}, class: {kind}, mask: {{strategy: drop}}}}"


def _spelled(column: SourceColumn) -> str:
    return f"numeric({column.precision},{column.scale})" if column.precision is not None else column.type


def _count(things: Sequence[object], noun: str) -> str:
    return f"{len(things)} {noun}{'' if len(things) == 1 else 's'}"
