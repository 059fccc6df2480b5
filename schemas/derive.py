"""Columns computed from kept ones: the business date is the calendar date in Japan."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

import pyarrow as pa
import pyarrow.compute as pc

JST: Final = ZoneInfo("Asia/Tokyo")
_OFFSET: Final = timedelta(hours=9)  # Japan has kept UTC+9 without daylight saving time since 1952


def business_date(instants: pa.Array) -> pa.Array:
    """Gives the JST calendar date of each instant.

    Args:
        instants: timestamp[us, UTC], length n.

    Returns:
        date32, length n; nulls stay null.
    """
    moved = pc.add(instants, pa.scalar(_OFFSET, pa.duration("us")))
    return moved.cast(pa.date32(), safe=False)  # the time of day is cut off on purpose


def business_day_start(day: date) -> datetime:
    """Gives the instant (UTC) at which a business day begins."""
    return datetime.combine(day, time(), JST).astimezone(UTC)


def previous_business_day(instant: datetime) -> date:
    """Gives the last business day that has ended at an instant."""
    return instant.astimezone(JST).date() - timedelta(days=1)
