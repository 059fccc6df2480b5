"""Columns computed from kept ones: the business date is the calendar date in Japan."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

import pyarrow as pa
import pyarrow.compute as pc


@dataclass(frozen=True)
class Window:
    """Business days (JST), inclusive, whose partitions a run replaces."""

    first: date
    last: date

    @classmethod
    def ending(cls, day: date, lookback_days: int) -> Window:
        """Returns the target day with the days before it that are read again for late rows."""
        return cls(day - timedelta(days=lookback_days), day)

    @property
    def days(self) -> tuple[date, ...]:
        """Every business day of the window, oldest first."""
        return tuple(self.first + timedelta(days=n) for n in range((self.last - self.first).days + 1))


JST: Final = ZoneInfo("Asia/Tokyo")
_OFFSET: Final = timedelta(hours=9)  # Japan has kept UTC+9 without daylight saving time since 1952


def business_date(instants: pa.Array) -> pa.Array:
    """Returns the JST calendar date of each instant.

    Args:
        instants: timestamp[us, UTC], length n.

    Returns:
        date32, length n; nulls stay null.
    """
    moved = pc.add(instants, pa.scalar(_OFFSET, pa.duration("us")))
    return moved.cast(pa.date32(), safe=False)  # the time of day is cut off on purpose


def business_day_start(day: date) -> datetime:
    """Returns the instant (UTC) at which a business day begins."""
    return datetime.combine(day, time(), JST).astimezone(UTC)


def previous_business_day(instant: datetime) -> date:
    """Returns the last business day that has ended at an instant."""
    return instant.astimezone(JST).date() - timedelta(days=1)
