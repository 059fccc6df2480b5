"""Slices: parts of a table of about equal work, with every row in exactly one of them."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from typing import Final

from etl.source.dialect import POSTGRES, Dialect
from etl.source.slice import Changes, Slice
from schemas.business_days import business_day_start

MAX_SLICES: Final = 2_000


def whole_table() -> tuple[Slice, ...]:
    """Returns the one slice that is the whole relation, for relations that cannot be cut."""
    return (Slice(0, "TRUE"),)


def ctid_slices(leaves: Sequence[int], count: int) -> tuple[Slice, ...]:
    """Cuts heaps into ranges of pages; the last one is open, so rows beyond the known pages are read too.

    A range of pages reads that range of every leaf of a partitioned table. Leaves have different sizes, so the bounds
    are such that each range holds about equally many pages of all leaves together.

    Args:
        leaves: heap pages at planning time, of each leaf; of a plain table, its own.
        count: how many slices to aim at; at most one a page.
    """
    highest, total = max(leaves, default=0), sum(leaves)
    count = max(1, min(count, highest, MAX_SLICES))
    pages = range(highest + 1)
    levels = [
        bisect_left(pages, total * n, key=lambda page: count * sum(min(page, leaf) for leaf in leaves))
        for n in range(count)
    ]
    bounds = list(dict.fromkeys(levels))
    ranges = [f"ctid >= '({first},0)'::tid AND ctid < '({end},0)'::tid" for first, end in pairwise(bounds)]
    ranges.append(f"ctid >= '({bounds[-1]},0)'::tid")
    return tuple(Slice(number, where, by="ctid") for number, where in enumerate(ranges))


def busy_slices(
    column: str, days: Sequence[date], minutes: Mapping[int, int], most: int, dialect: Dialect = POSTGRES
) -> tuple[Slice, ...]:
    """Cuts business days into spans of whole minutes with at most `most` rows, unless a single minute has more.

    Args:
        column: the window column at the source, a timestamp.
        days: business days (JST).
        minutes: rows of each minute, by minutes since 1970 (UTC); those without rows may be missing.
        most: how many rows of a slice to aim at.
        dialect: of the source.
    """
    name = dialect.column(column)
    found: list[Slice] = []
    for day in days:
        start, end = business_day_start(day), business_day_start(day + timedelta(days=1))
        bounds = [start, *_busy_bounds(start, end, minutes, most), end]
        for first, until in pairwise(bounds):
            where = f"{name} >= {dialect.at(first)} AND {name} < {dialect.at(until)}"
            found.append(Slice(len(found), where, day, column))
    return tuple(found)


def _busy_bounds(start: datetime, end: datetime, minutes: Mapping[int, int], most: int) -> Iterator[datetime]:
    first, last = int(start.timestamp()) // 60, int(end.timestamp()) // 60
    gathered = 0
    for minute in sorted(minute for minute in minutes if first <= minute < last):
        if gathered and gathered + minutes[minute] > most:
            yield datetime.fromtimestamp(minute * 60, UTC)
            gathered = 0
        gathered += minutes[minute]


def days_condition(column: str, kind: str, first: date, last: date, dialect: Dialect = POSTGRES) -> str:
    """Returns SQL for: the row is of one of the business days (JST) from first to last."""
    name = dialect.column(column)
    if kind == "date":
        return f"{name} >= {dialect.on(first)} AND {name} <= {dialect.on(last)}"
    start, end = business_day_start(first), business_day_start(last + timedelta(days=1))
    return f"{name} >= {dialect.at(start)} AND {name} < {dialect.at(end)}"


def changes_condition(changes: Changes, dialect: Dialect = POSTGRES) -> str:
    """Returns SQL for: the row changed in the span that is read; TRUE where all rows are read."""
    name, dialect = dialect.column(changes.column), dialect.of_clock(changes.clock)
    parts = [f"{name} > {dialect.at(changes.after)}"] if changes.after else []
    parts += [f"{name} <= {dialect.at(changes.until)}"] if changes.after and changes.closed else []
    return " AND ".join(parts) or "TRUE"


def change_slices(changes: Changes, count: int, dialect: Dialect = POSTGRES) -> tuple[Slice, ...]:
    """Cuts the changes since a watermark into equal spans of time; the last one has an end only where the changes do.

    Args:
        changes: with a watermark.
        count: how many slices to aim at.
        dialect: of the source.
    """
    name, after = dialect.column(changes.column), changes.after or changes.until
    dialect = dialect.of_clock(changes.clock)
    step = max(changes.until - after, timedelta(seconds=count)) / count
    bounds = [after + step * n for n in range(count)]
    spans = [f"{name} > {dialect.at(first)} AND {name} <= {dialect.at(last)}" for first, last in pairwise(bounds)]
    end = f" AND {name} <= {dialect.at(changes.until)}" if changes.closed else ""
    spans.append(f"{name} > {dialect.at(bounds[-1])}{end}")
    return tuple(Slice(number, where, None, changes.column) for number, where in enumerate(spans))


def window_slices(
    column: str, kind: str, days: Sequence[date], a_day: int, dialect: Dialect = POSTGRES
) -> tuple[Slice, ...]:
    """Cuts business days into slices that each hold rows of one day only.

    Args:
        column: the window column at the source.
        kind: its contract type: `timestamp` (days are cut into equal spans of time) or `date` (one slice a day).
        days: business days (JST).
        a_day: how many slices a day to aim at.
        dialect: of the source.
    """
    name = dialect.column(column)
    found: list[Slice] = []
    for day in days:
        if kind == "date":
            found.append(Slice(len(found), f"{name} = {dialect.on(day)}", day, column))
            continue
        start, end = business_day_start(day), business_day_start(day + timedelta(days=1))
        count = max(1, min(a_day, MAX_SLICES // max(1, len(days))))
        bounds = [start + (end - start) * n // count for n in range(count)] + [end]
        for first, until in pairwise(bounds):
            found.append(
                Slice(len(found), f"{name} >= {dialect.at(first)} AND {name} < {dialect.at(until)}", day, column)
            )
    return tuple(found)
