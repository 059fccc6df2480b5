"""The one written rule by which a typed value becomes text, so that int 42 and "42" of one domain get one token.

| type | text | example |
|---|---|---|
| string, json | as it is | `A-042` |
| integer | decimal digits, `-` when negative | `42` |
| decimal | the same; of a fraction, without its trailing zeros | `42.00` → `42`, `0.50` → `0.5` |
| bool | `true`, `false` | `true` |
| date | ISO 8601 | `2023-08-31` |
| timestamp (an instant) | ISO 8601 in UTC with six fraction digits and `Z` | `2023-08-31T15:04:05.000000Z` |
| datetime (civil) | ISO 8601 with six fraction digits | `2023-08-31T15:04:05.000000` |
| uuid (Arrow extension) | lower-case hexadecimal with hyphens | `123e4567-e89b-12d3-a456-426614174000` |
| bytes | as they are | |

Floating point numbers have no canonical text and are refused; so are instants finer than a microsecond.
"""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc

from masking.dates import FIRST_DAY, LAST_DAY, TICKS_A_DAY
from masking.errors import StrategyMisused
from masking.exact import plain
from masking.rows import null_where, outside
from masking.text_types import is_bytes, is_text

_UUID = "arrow.uuid"
_PLAIN_SCALE = 6


def has_canonical_form(source: pa.DataType) -> bool:
    """Tells whether the rule covers values of this Arrow type."""
    if isinstance(source, pa.BaseExtensionType):
        return bool(source.extension_name == _UUID)
    if pa.types.is_timestamp(source):
        return bool(source.unit != "ns")
    tests = (is_text, is_bytes, pa.types.is_integer, pa.types.is_decimal, pa.types.is_boolean, pa.types.is_date)
    return pa.types.is_null(source) or any(test(source) for test in tests)


def canonical(column: pa.Array) -> pa.Array:
    """Returns the canonical text of each value as a string or binary array; nulls stay null.

    A date or an instant outside the years 1 to 9999 (PostgreSQL's `infinity` arrives as one) has no canonical text and
    becomes null: whoever calls compares with `masking.rows.lost`.

    Raises:
        StrategyMisused: the type has no canonical text.
    """
    source = column.type
    if not has_canonical_form(source):
        raise StrategyMisused(
            f"Values of type {source} have no canonical text.",
            not_done="No value was masked.",
            where={"type": source},
        )
    if isinstance(source, pa.BaseExtensionType):
        return _uuids(column.storage)
    if is_text(source):
        return column
    if is_bytes(source):
        return column if not pa.types.is_fixed_size_binary(source) else column.cast(pa.binary())
    if pa.types.is_decimal(source):
        return _decimals(column)
    if pa.types.is_timestamp(source):
        return _instants(column)
    return _dates(column) if pa.types.is_date(source) else column.cast(pa.string())


def _decimals(column: pa.Array) -> pa.Array:
    # Arrow prints decimals of other shapes with an exponent, or not at all; those few go through Python's decimal.
    if not pa.types.is_decimal128(column.type) or not 0 <= column.type.scale <= _PLAIN_SCALE:
        return pa.array([None if value is None else plain(value) for value in column.to_pylist()], pa.string())
    text = column.cast(pa.string())
    return pc.replace_substring_regex(text, r"\.?0+$", "") if column.type.scale else text


def _dates(column: pa.Array) -> pa.Array:
    days = column.cast(pa.date32())
    return null_where(days, outside(days.view(pa.int32()), FIRST_DAY, LAST_DAY)).cast(pa.string())


def _instants(column: pa.Array) -> pa.Array:
    ticks = TICKS_A_DAY[column.type.unit]
    far = outside(column.view(pa.int64()), FIRST_DAY * ticks, (LAST_DAY + 1) * ticks - 1)
    micros = null_where(column, far).cast(pa.timestamp("us"))
    text = pc.strftime(micros, format="%Y-%m-%dT%H:%M:%S")
    return pc.binary_join_element_wise(text, "Z", "") if column.type.tz else text


def _uuids(storage: pa.Array) -> pa.Array:
    hexes = pa.array([None if value is None else value.hex() for value in storage.to_pylist()], pa.string())
    return pc.replace_substring_regex(hexes, r"^(.{8})(.{4})(.{4})(.{4})(.{12})$", r"\1-\2-\3-\4-\5")
