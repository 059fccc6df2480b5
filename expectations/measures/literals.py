"""Literals beside columns: taken where both are of one kind, so that Spark compares them without a conversion."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from fractions import Fraction
from typing import Any, Final

import pyarrow as pa

from expectations.measures.bounds import limits
from expectations.measures.predicates import OneOf, Predicate

MOST_DIGITS: Final = 38
_DIGITS_OF_INT64: Final = 20


class NotTaken(Exception):
    """A condition, or what an expectation asks, is left to another engine."""


def equal_to(name: str, values: Sequence[Any], schema: pa.Schema) -> Predicate:
    """Returns that a column is one of some values, all of its own kind.

    Raises:
        NotTaken: the column does not exist, or Spark would convert it or a value first.
    """
    kind = kind_of(name, schema)
    if not values or not all(fits(value, kind) for value in values):
        raise NotTaken
    if is_number(kind):
        values = [_of_kind(value, kind) for value in values if _holds(Decimal(value), kind)]
    return OneOf(name, tuple(values))


def kind_of(name: str, schema: pa.Schema) -> pa.DataType:
    """Returns the type of a column.

    Raises:
        NotTaken: there is no such column.
    """
    if name not in schema.names:
        raise NotTaken
    return schema.field(name).type


def is_number(kind: pa.DataType) -> bool:
    """Tells whether values of a type are compared as exact numbers: whole ones of 64 bits, and decimals."""
    return bool(pa.types.is_int64(kind) or pa.types.is_decimal(kind))


def fits(value: object, kind: pa.DataType) -> bool:
    """Tells whether a literal is of a column's own kind, so that Spark compares without a conversion."""
    if pa.types.is_boolean(kind):
        return isinstance(value, bool)
    if pa.types.is_string(kind):
        return isinstance(value, str)
    if not is_number(kind) or isinstance(value, bool) or not isinstance(value, int | Decimal):
        return False
    return _exactly_comparable(Decimal(value), kind)


def _exactly_comparable(value: Decimal, kind: pa.DataType) -> bool:
    """Tells whether one decimal type holds both a column and a literal, else Spark would cut digits off."""
    precision, scale = (kind.precision, kind.scale) if pa.types.is_decimal(kind) else (_DIGITS_OF_INT64, 0)
    _, digits, exponent = value.as_tuple()
    own_scale = max(0, -int(exponent))
    return max(precision - scale, len(digits) - own_scale) + max(scale, own_scale) <= MOST_DIGITS


def _holds(value: Decimal, kind: pa.DataType) -> bool:
    """Tells whether a column of numbers can hold a value exactly."""
    units = Fraction(value) * 10 ** (kind.scale if pa.types.is_decimal(kind) else 0)
    least, most = limits(kind)
    return units.denominator == 1 and least <= units <= most


def _of_kind(value: int | Decimal, kind: pa.DataType) -> int | Decimal:
    return Decimal(value) if pa.types.is_decimal(kind) else int(value)
