"""Bounds of numbers as exact whole numbers: a column is compared as Spark compares it, without a conversion a row.

Spark compares decimals and whole numbers with a floating-point bound by converting every value to the nearest double.
Which values pass is decided by one number: the least whose double is not below the bound. It is found once.
"""

from __future__ import annotations

import math
from decimal import Context, Decimal
from fractions import Fraction
from typing import Final

import pyarrow as pa

from expectations.measures.predicates import AllOf, Compared, Not, Predicate

_MANY_DIGITS: Final = Context(prec=80)
Number = int | float | Decimal


def least_reaching(bound: Number, scale: int, *, above: bool = False) -> int:
    """Returns the least number of units of 10^-scale that reaches a bound, as Spark compares them.

    Args:
        bound: finite; a float is compared with the double that is nearest to each value, other numbers exactly.
        scale: digits after the point.
        above: the bound itself does not reach.
    """
    units = 10**scale
    if not isinstance(bound, float):
        exact = Fraction(bound) * units
        return int(math.floor(exact) + 1 if above else math.ceil(exact))
    if above:
        bound = math.nextafter(bound, math.inf)
    half_way = (Fraction(math.nextafter(bound, -math.inf)) + Fraction(bound)) / 2
    least: int = math.ceil(half_way * units)
    return least if float(Fraction(least, units)) >= bound else least + 1


def reaching(column: str, kind: pa.DataType, bound: Number, *, above: bool = False) -> Predicate:
    """Returns that a column of whole numbers, decimals or doubles reaches a bound: ≥, or > where `above`."""
    if pa.types.is_floating(kind):
        return Compared(column, ">" if above else ">=", float(bound))
    scale = kind.scale if pa.types.is_decimal(kind) else 0
    least, (smallest, largest) = least_reaching(bound, scale, above=above), limits(kind)
    if least > largest:
        return Not(Compared(column, ">=", _value(smallest, kind)))  # nothing reaches it
    return Compared(column, ">=", _value(max(least, smallest), kind))


def within(
    column: str,
    kind: pa.DataType,
    least: Number | None,
    most: Number | None,
    *,
    above: bool = False,
    below: bool = False,
) -> Predicate:
    """Returns that a column is from `least` to `most`; the bounds themselves are out where `above` and `below` say so.

    NaN is above every bound.
    """
    parts: list[Predicate] = []
    if least is not None:
        parts.append(reaching(column, kind, least, above=above))
    if most is not None:
        parts.append(Not(reaching(column, kind, most, above=not below)))
    return AllOf(tuple(parts))


def limits(kind: pa.DataType) -> tuple[int, int]:
    """Returns the least and the largest number of units that a type of whole numbers or decimals holds."""
    if pa.types.is_decimal(kind):
        return 1 - 10**kind.precision, 10**kind.precision - 1
    return -(2**63), 2**63 - 1


def _value(units: int, kind: pa.DataType) -> int | Decimal:
    return Decimal(units).scaleb(-kind.scale, _MANY_DIGITS) if pa.types.is_decimal(kind) else units
