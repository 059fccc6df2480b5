"""Cuts what a run reads of a table into slices: as many as its size asks for, where its rows are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Final

from etl.source.catalogue import SourceTable
from etl.source.session import Session
from etl.source.slice import Changes, Slice
from etl.source.slices import (
    MAX_SLICES,
    busy_slices,
    change_slices,
    changes_condition,
    days_condition,
    whole,
    window_slices,
)
from schemas.business_days import Window
from schemas.contract import Contract

SMALLEST: Final = 16 * 1024 * 1024
"""No slice is made smaller than so many bytes for the sake of workers that would be idle."""
COUNTED: Final = 500_000
"""Of a window with more rows than these about so many are counted, at random: enough to tell where the rows are."""
_SLICES_PER_WORKER: Final = 2
"""Slices for each worker, so that a slow one does not keep the others waiting."""


@dataclass(frozen=True)
class SliceSize:
    """How large slices shall be.

    Attributes:
        bytes: about how many of the table's bytes one slice reads.
        workers: how many slices can be read at once.
    """

    bytes: int
    workers: int = 1

    def count(self, size: int) -> int:
        """Returns how many slices so many bytes are cut into: more than there are workers, where that is worth it."""
        for_all = min(_SLICES_PER_WORKER * self.workers, size // SMALLEST)
        return min(MAX_SLICES, max(1, -(-size // self.bytes), for_all))


@dataclass(frozen=True)
class Sliced:
    """Slices, and the rows and bytes in them by the source's statistics."""

    slices: tuple[Slice, ...]
    rows: int
    bytes: int


def sliced(
    session: Session,
    contract: Contract,
    source: SourceTable,
    window: Window | None,
    changes: Changes | None,
    size: SliceSize,
    *,
    at_once: bool = False,
    measure: bool = True,
) -> Sliced:
    """Returns the slices that hold each row of the window, of the changes, or of the table exactly once.

    Args:
        session: on what the slices will read.
        contract: of the table.
        source: its catalogue.
        window: the business days that are read.
        changes: of a merge table, the rows that are read.
        size: how large slices shall be.
        at_once: whether the window replaces the table in one step, so that a slice need not keep to a day.
        measure: whether keys and times may be counted at the source to find where the rows are; without it, statistics
            and equal spans do, and what only its keys could cut stays whole.
    """
    table, dialect = contract.source, session.dialect
    all_rows = session.estimated_rows(table, "TRUE")
    width = session.width(source, list(contract.selected))
    heap = source.bytes or all_rows * width  # a view has no bytes of its own
    if changes and changes.after:
        rows = session.estimated_rows(table, changes_condition(changes, dialect))
        parts = size.count(heap * rows // max(1, all_rows))
        return Sliced(change_slices(changes, parts, dialect), rows, rows * width)
    column = contract.window_column
    if window is None or column is None:
        parts_of_all = _whole_table(session, contract, source, size.count(heap), measure=measure)
        if window:  # a snapshot: every row is of the day of the run
            parts_of_all = tuple(replace(one, partition=window.last) for one in parts_of_all)
        return Sliced(parts_of_all, all_rows, all_rows * width)
    kind = contract.columns[column].type.name
    condition = days_condition(column, kind, window.first, window.last, dialect)
    if measure and kind == "timestamp" and not at_once and size.count(heap) > 1:
        share = min(1.0, COUNTED / max(1, session.estimated_rows(table, condition)))
        minutes = session.minutes(table, column, condition, share)
        minutes = {minute: round(found / share) for minute, found in minutes.items()}
        rows = sum(minutes.values())
        parts = size.count(heap * rows // max(1, all_rows, rows))
        return Sliced(busy_slices(column, window.days, minutes, -(-rows // parts), dialect), rows, rows * width)
    rows = session.estimated_rows(table, condition)
    if at_once:
        parts_of_all = _whole_table(session, contract, source, size.count(heap), measure=measure)
        found = tuple(replace(one, where=f"({one.where}) AND {condition}") for one in parts_of_all)
        return Sliced(found, rows, rows * width)
    if measure and kind == "date" and size.count(heap) > 1:
        days = _days(session, contract, source, window.days, heap // max(1, all_rows), size)
        return Sliced(days, rows, rows * width)
    a_day = -(-size.count(heap * rows // max(1, all_rows)) // len(window.days))
    return Sliced(window_slices(column, kind, window.days, a_day, dialect), rows, rows * width)


def _days(
    session: Session,
    contract: Contract,
    source: SourceTable,
    days: Sequence[date],
    a_row: int,
    size: SliceSize,
) -> tuple[Slice, ...]:
    """Cuts each day of a date column by its rows' keys, because a date has no hours; rows are counted."""
    table, column = session.dialect.quoted(source.name), contract.window_column or ""
    found: list[Slice] = []
    for one in window_slices(column, "date", days, 1, session.dialect):
        (rows,) = session.row(f"SELECT count(*) FROM {table} WHERE {one.where}")
        count = size.count(int(str(rows)) * a_row)
        parts = session.slices(source, count, _key(contract), one.where) if count > 1 else (one,)
        found += (replace(part, partition=one.partition) for part in parts)
    return tuple(replace(part, number=number) for number, part in enumerate(found))


def _key(contract: Contract) -> list[str]:
    """Returns the source columns of the contract's key."""
    names = [contract.derive[name].source if name in contract.derive else name for name in contract.key]
    return [name for name in names if name in contract.columns]


def _whole_table(
    session: Session, contract: Contract, source: SourceTable, count: int, *, measure: bool
) -> tuple[Slice, ...]:
    if not measure and not source.leaves:
        return whole()
    return session.slices(source, count, _key(contract))
