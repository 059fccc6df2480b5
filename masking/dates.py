"""Civil dates of date, instant and text columns; an instant's date is the one on a Japanese calendar."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc

from masking.rows import null_where, outside
from masking.text_types import is_text

TICKS_A_DAY = {"s": 86_400, "ms": 86_400_000, "us": 86_400_000_000, "ns": 86_400_000_000_000}
FIRST_DAY = -719_162
"""0001-01-01 in days from 1970-01-01: the first date that BigQuery and ISO 8601 have."""
LAST_DAY = 2_932_896
"""9999-12-31 in days from 1970-01-01: the last one."""
_JST_HOURS = 9


def holds_dates(source: pa.DataType) -> bool:
    """Tells whether values of this type are dates, instants or civil times."""
    return bool(pa.types.is_date(source) or pa.types.is_timestamp(source))


def civil_dates(column: pa.Array) -> pa.Array:
    """Returns the civil date of each value as date32, null where there is none in the years 1 to 9999.

    Instants count by the Japanese calendar. Text is read as `2023-08-31`, `2023/08/31` or `20230831` and nothing else.
    """
    if is_text(column.type) or pa.types.is_null(column.type):
        return _written(column.cast(pa.string()))
    if pa.types.is_date(column.type):
        days = column.cast(pa.date32())
        return null_where(days, outside(days.view(pa.int32()), FIRST_DAY, LAST_DAY))
    ticks = TICKS_A_DAY[column.type.unit]
    moment = column.view(pa.int64())
    moment = null_where(moment, outside(moment, FIRST_DAY * ticks, (LAST_DAY + 1) * ticks - 1))
    if column.type.tz:
        moment = pc.add(moment, _JST_HOURS * ticks // 24)
        moment = null_where(moment, outside(moment, FIRST_DAY * ticks, (LAST_DAY + 1) * ticks - 1))
    return pc.floor_temporal(moment.view(pa.timestamp(column.type.unit)), unit="day").cast(pa.date32())


def _written(texts: pa.Array) -> pa.Array:
    iso = pc.replace_substring_regex(texts, r"^([0-9]{4})[-/]?([0-9]{2})[-/]?([0-9]{2})$", r"\1-\2-\3")
    shaped = pc.match_substring_regex(iso, r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$")
    iso = pc.if_else(shaped, iso, pa.scalar(None, pa.string()))
    days = pc.strptime(iso, format="%Y-%m-%d", unit="s", error_is_null=True).cast(pa.date32())
    # A parser may roll February 30 over to March; only a date that is written as it was read is one.
    return pc.if_else(pc.equal(days.cast(pa.string()), iso), days, pa.scalar(None, pa.date32()))
