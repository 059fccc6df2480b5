"""Values of a query or statement as BigQuery's named parameters, typed by what they are."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Final

from google.cloud import bigquery

Scalar = str | bool | int | float | Decimal | date | datetime
Value = Scalar | list[str] | tuple[Scalar, ...]
Parameter = bigquery.ScalarQueryParameter | bigquery.ArrayQueryParameter

_TYPES: Final[tuple[tuple[type, str], ...]] = (
    (str, "STRING"),
    (bool, "BOOL"),  # a bool is an int to Python, and a datetime is a date: the narrower type comes first
    (int, "INT64"),
    (float, "FLOAT64"),
    (Decimal, "BIGNUMERIC"),
    (datetime, "TIMESTAMP"),
    (date, "DATE"),
)


def bound(values: Mapping[str, Value]) -> list[Parameter]:
    """Returns a parameter for each value; lists and tuples become arrays, and an empty one is an array of texts.

    Raises:
        TypeError: a value is of a type that no parameter has, an array mixes types, or an instant names no time zone.
    """
    return [_bound(name, value) for name, value in values.items()]


def _bound(name: str, value: Value) -> Parameter:
    if not isinstance(value, list | tuple):
        return bigquery.ScalarQueryParameter(name, _type(name, value), value)
    kinds = {_type(name, item) for item in value} or {"STRING"}
    if len(kinds) > 1:
        raise TypeError(f"Parameter {name} mixes {' and '.join(sorted(kinds))}.")
    return bigquery.ArrayQueryParameter(name, kinds.pop(), list(value))


def _type(name: str, value: object) -> str:
    if isinstance(value, datetime) and value.tzinfo is None:
        raise TypeError(f"Parameter {name} is an instant without a time zone.")
    for kind, bigquery_type in _TYPES:
        if isinstance(value, kind):
            return bigquery_type
    raise TypeError(f"Parameter {name} cannot be a {type(value).__name__}.")
