"""The steps in which business days are loaded again: consecutive days, so many at once, none twice."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta

from etl.plan.scope import Scope
from etl.publish.limits import PARTITIONS_A_JOB
from schemas.business_days import Window


def scopes_of(asked: Window, done: frozenset[date], *, alone: bool, at_most: int) -> tuple[Scope, ...]:
    """Returns the steps of one table with business days, oldest first.

    Args:
        asked: the days to load.
        done: days that need not be loaded.
        alone: whether the published table holds no other days than those asked for.
        at_most: how many days one step loads.
    """
    days = [day for day in asked.days if day not in done]
    if alone and len(days) == len(asked.days) and at_most < len(days) <= PARTITIONS_A_JOB:
        return (Scope(asked.last, window=asked, at_once=True),)
    return tuple(Scope(asked.last, window=one) for one in windows(days, at_most))


def windows(days: Sequence[date], at_most: int) -> tuple[Window, ...]:
    """Returns ranges of consecutive days, oldest first, of so many days at most, that hold exactly these days."""
    found: list[Window] = []
    for day in sorted(days):
        last = found[-1] if found else None
        if last and day - last.last == timedelta(days=1) and len(last.days) < at_most:
            found[-1] = Window(last.first, day)
        else:
            found.append(Window(day, day))
    return tuple(found)


def modifications(scope: Scope) -> int:
    """Returns how many load jobs of the step change its table."""
    return len(scope.window.days) if scope.window and not scope.at_once else 1
