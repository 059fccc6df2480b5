"""Exact arithmetic over number columns: what may be compared and rounded, and Decimals as Arrow scalars of a column."""

from __future__ import annotations

from decimal import ROUND_CEILING, Context, Decimal

import pyarrow as pa

EXACT = Context(prec=76)
"""Arithmetic without rounding for every number that a column or a document can hold."""
_WIDEST = 38
_MOST_FRACTION = 18


def is_number(source: pa.DataType) -> bool:
    """Tells whether values of this type are integers, decimals of at most 18 fraction digits, or floating point."""
    if pa.types.is_decimal128(source):
        return bool(0 <= source.scale <= _MOST_FRACTION)
    return bool(pa.types.is_integer(source) or pa.types.is_floating(source))


def widened(column: pa.Array) -> pa.Array:
    """Returns a decimal column with the most digits its type can have."""
    return column.cast(pa.decimal128(_WIDEST, column.type.scale))


def least_at_or_above(number: Decimal, source: pa.DataType) -> pa.Scalar:
    """Returns the least value of this type that is not below `number`, so that comparing with it is exact."""
    if pa.types.is_floating(source):
        return pa.scalar(float(number), pa.float64())
    step = Decimal(1).scaleb(-fraction_digits(source))
    ceiling = number.quantize(step, rounding=ROUND_CEILING, context=EXACT)
    return pa.scalar(ceiling, pa.decimal128(_WIDEST, fraction_digits(source)))


def fraction_digits(source: pa.DataType) -> int:
    """Returns how many fraction digits an integer or decimal type has."""
    return int(source.scale) if pa.types.is_decimal(source) else 0


def of_steps(steps: int, scale: int) -> Decimal:
    """Returns the number that is this many steps of 10 ** -scale."""
    return Decimal(steps).scaleb(-scale, context=EXACT)


def plain(number: Decimal) -> str:
    """Writes a Decimal without exponent and without trailing zeros of its fraction."""
    text = f"{number:f}"
    text = text.rstrip("0").rstrip(".") if "." in text else text
    return "0" if text in ("", "-0") else text
