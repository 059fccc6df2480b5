"""Cuts what a run reads of a table into slices: as many as its size asks for, where its rows are."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final

from etl.plan.extent import Extent
from etl.source import (
    MAX_SLICES,
    Changes,
    Dialect,
    Session,
    Slice,
    busy_slices,
    change_slices,
    changes_condition,
    days_condition,
    whole_table,
    window_slices,
)
from schemas.business_days import Window

SMALLEST: Final = 16 * 1024 * 1024
"""Bytes below which no slice is made smaller only to keep every worker busy."""
COUNTED: Final = 500_000
"""Above this many rows in a window, a random sample of about this size is counted: it shows where the rows are."""
_SLICES_PER_WORKER: Final = 2
"""Slices for each worker, so that a slow one does not keep the others waiting."""


@dataclass(frozen=True)
class SliceSize:
    """How large slices are to be.

    Attributes:
        bytes: about how many of the table's bytes one slice reads.
        workers: how many slices can be read at once.
    """

    bytes: int
    workers: int = 1

    def count(self, size: int) -> int:
        """Returns into how many slices a number of bytes is cut: more than there are workers, where that pays."""
        for_all = min(_SLICES_PER_WORKER * self.workers, size // SMALLEST)
        return min(MAX_SLICES, max(1, -(-size // self.bytes), for_all))


@dataclass(frozen=True)
class Sliced:
    """Slices, and the rows and bytes in them by the source's statistics."""

    slices: tuple[Slice, ...]
    rows: int
    bytes: int


def sliced(session: Session, extent: Extent, size: SliceSize) -> Sliced:
    """Returns the slices that hold each row of the changes, of the window, or of the table exactly once.

    Args:
        session: a control session on what the slices will read.
        extent: which rows.
        size: how large slices are to be.
    """
    table = _Table.of(session, extent, size)
    if extent.changes and extent.changes.after:
        return _changed(table, extent.changes)
    days = _Days.of(table)
    if days is None:
        return _all_rows(table)
    if extent.at_once:
        return _days_at_once(table, days)
    measured = extent.measure and table.count(table.bytes) > 1
    if measured and days.kind == "timestamp":
        return _days_by_minutes(table, days)
    if measured and days.kind == "date":
        return _days_by_keys(table, days)
    return _days_by_equal_spans(table, days)


@dataclass(frozen=True)
class _Table:
    """What is cut, together with the table's statistics.

    Attributes:
        rows: of the whole table.
        width: bytes of a row's selected columns.
        bytes: of the whole table.
    """

    session: Session
    extent: Extent
    size: SliceSize
    rows: int
    width: int
    bytes: int

    @classmethod
    def of(cls, session: Session, extent: Extent, size: SliceSize) -> _Table:
        rows = session.estimated_rows(extent.contract.source, "TRUE")
        width = session.width(extent.source, list(extent.contract.source_names.values()))
        heap = extent.source.bytes or rows * width  # a view has no bytes of its own
        return cls(session, extent, size, rows, width, heap)

    @property
    def name(self) -> str:
        return self.extent.contract.source

    def count(self, size: int) -> int:
        return self.size.count(size)

    def bytes_of(self, rows: int) -> int:
        return self.bytes * rows // max(1, self.rows)

    def estimated(self, condition: str) -> int:
        return self.session.estimated_rows(self.name, condition)

    def cut(self, slices: tuple[Slice, ...], rows: int) -> Sliced:
        return Sliced(slices, rows, rows * self.width)


@dataclass(frozen=True)
class _Days:
    """The business days of a window, as a column at the source has them.

    Attributes:
        kind: the column's contract type.
        dialect: of the source, with its literals for the column.
        condition: SQL for: the row is of one of the days.
    """

    window: Window
    column: str
    kind: str
    condition: str
    dialect: Dialect

    @classmethod
    def of(cls, table: _Table) -> _Days | None:
        """Returns the days that choose rows; None where no column does."""
        contract, window = table.extent.contract, table.extent.window
        column = contract.window_column
        if window is None or column is None:
            return None
        kind, at_source = contract.selected[column].type, contract.source_names[column]
        dialect = table.session.dialect.of_clock(kind.clock)
        condition = days_condition(at_source, kind.name, window.first, window.last, dialect)
        return cls(window, at_source, kind.name, condition, dialect)


def _changed(table: _Table, changes: Changes) -> Sliced:
    """Cuts the rows since a watermark into equal spans of time."""
    rows = table.estimated(changes_condition(changes, table.session.dialect))
    count = table.count(table.bytes_of(rows))
    return table.cut(change_slices(changes, count, table.session.dialect), rows)


def _all_rows(table: _Table) -> Sliced:
    """Cuts the whole table; rows of a snapshot are all of the day of the run."""
    slices, window = _ranges(table), table.extent.window
    if window:
        slices = tuple(replace(one, partition=window.last) for one in slices)
    return table.cut(slices, table.rows)


def _days_at_once(table: _Table, days: _Days) -> Sliced:
    """Cuts the whole table, and takes of each slice the rows of the window: a slice may hold several days."""
    rows = table.estimated(days.condition)
    return table.cut(tuple(replace(one, where=f"({one.where}) AND {days.condition}") for one in _ranges(table)), rows)


def _days_by_minutes(table: _Table, days: _Days) -> Sliced:
    """Cuts days into spans of minutes with about equally many rows, which are counted."""
    share = min(1.0, COUNTED / max(1, table.estimated(days.condition)))
    counted = table.session.minutes(table.name, days.column, days.condition, share)
    ahead = int(days.dialect.clock.total_seconds()) // 60
    minutes = {minute - ahead: round(rows / share) for minute, rows in counted.items()}
    rows = sum(minutes.values())
    count = table.count(table.bytes * rows // max(1, table.rows, rows))  # statistics can be older than the count
    slices = busy_slices(days.column, days.window.days, minutes, -(-rows // count), days.dialect)
    return table.cut(slices, rows)


def _days_by_keys(table: _Table, days: _Days) -> Sliced:
    """Cuts each day of a date column by the keys of its rows, which are counted: a date has no hours."""
    rows = table.estimated(days.condition)
    parts = tuple(replace(part, number=number) for number, part in enumerate(_parts_of_days(table, days)))
    return table.cut(parts, rows)


def _parts_of_days(table: _Table, days: _Days) -> Iterator[Slice]:
    session, extent = table.session, table.extent
    bytes_a_row = table.bytes // max(1, table.rows)
    for day in window_slices(days.column, "date", days.window.days, 1, session.dialect):
        (rows,) = session.row(f"SELECT count(*) FROM {session.dialect.quoted(extent.source.name)} WHERE {day.where}")
        count = table.count(int(str(rows)) * bytes_a_row)
        parts = session.slices(extent.source, count, extent.key, day.where) if count > 1 else (day,)
        yield from (replace(part, partition=day.partition) for part in parts)


def _days_by_equal_spans(table: _Table, days: _Days) -> Sliced:
    """Cuts each day into equal spans of time, and a day of a date column not at all; nothing is counted."""
    rows = table.estimated(days.condition)
    a_day = -(-table.count(table.bytes_of(rows)) // len(days.window.days))
    slices = window_slices(days.column, days.kind, days.window.days, a_day, days.dialect)
    return table.cut(slices, rows)


def _ranges(table: _Table) -> tuple[Slice, ...]:
    """Cuts the whole table by its pages or keys; only pages are known without measuring."""
    extent = table.extent
    if not extent.measure and not extent.source.leaves:
        return whole_table()
    return table.session.slices(extent.source, table.count(table.bytes), extent.key)
