"""Slices: parts of a table of about equal work that partition its rows exactly."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from itertools import pairwise
from typing import Final

from etl.handoff import Slice
from etl.source.dialect import POSTGRES, Dialect
from schemas.derive import business_day_start

MAX_SLICES: Final = 2_000


def whole() -> tuple[Slice, ...]:
    """Gives the one slice that is the whole relation, for views and other relations without pages of their own."""
    return (Slice(0, "TRUE"),)


def ctid_slices(pages: int, count: int) -> tuple[Slice, ...]:
    """Cuts a heap table into ranges of pages; the last one is open, so rows beyond the known pages are read too.

    Args:
        pages: heap pages at planning time.
        count: how many slices to aim at; at most one a page.
    """
    count = max(1, min(count, pages, MAX_SLICES))
    bounds = [pages * n // count for n in range(count)]
    ranges = [f"ctid >= '({first},0)'::tid AND ctid < '({end},0)'::tid" for first, end in pairwise(bounds)]
    ranges.append(f"ctid >= '({bounds[-1]},0)'::tid")
    return tuple(Slice(number, where, by="ctid") for number, where in enumerate(ranges))


def window_slices(
    column: str, kind: str, days: Sequence[date], a_day: int, dialect: Dialect = POSTGRES
) -> tuple[Slice, ...]:
    """Cuts business days into slices of which each holds rows of one day only.

    Args:
        column: the window column at the source.
        kind: its contract type: `timestamp` (days are cut into equal spans of time) or `date` (one slice a day).
        days: business days (JST).
        a_day: how many slices a day to aim at.
        dialect: of the source.
    """
    name = dialect.quoted(column)
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
