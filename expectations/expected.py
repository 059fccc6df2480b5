"""What is expected of each row by the metrics of Great Expectations that count unexpected ones."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Final

import pyarrow as pa

from expectations.measures.bounds import within
from expectations.measures.literals import MOST_DIGITS, NotTaken, equal_to, is_number, kind_of
from expectations.measures.patterns import common_pattern
from expectations.measures.predicates import (
    AllOf,
    Compared,
    LengthCompared,
    Matches,
    Missing,
    Not,
    Paired,
    Predicate,
    Same,
)

Named = Mapping[str, Any]
"""Arguments of a metric; Any: each metric has its own."""


def _not_null(domain: Named, values: Named, schema: pa.Schema) -> Predicate:
    del values
    kind_of(domain["column"], schema)
    return Not(Missing(domain["column"]))


def _null(domain: Named, values: Named, schema: pa.Schema) -> Predicate:
    return Not(_not_null(domain, values, schema))


def _in_set(domain: Named, values: Named, schema: pa.Schema) -> Predicate:
    return equal_to(domain["column"], values["value_set"] or (), schema)


def _not_in_set(domain: Named, values: Named, schema: pa.Schema) -> Predicate:
    return Not(_in_set(domain, values, schema))


def _matching(domain: Named, values: Named, schema: pa.Schema) -> Predicate:
    pattern = common_pattern(values["regex"])
    if pattern is None or not pa.types.is_string(kind_of(domain["column"], schema)):
        raise NotTaken
    return Matches(domain["column"], pattern)


def _not_matching(domain: Named, values: Named, schema: pa.Schema) -> Predicate:
    return Not(_matching(domain, values, schema))


def _between(domain: Named, values: Named, schema: pa.Schema) -> Predicate:
    name, kind = domain["column"], kind_of(domain["column"], schema)
    least, most = values.get("min_value"), values.get("max_value")
    strict = {"above": bool(values.get("strict_min")), "below": bool(values.get("strict_max"))}
    given = [one for one in (least, most) if one is not None]
    if not given or (len(given) == 2 and given[0] > given[1]):  # noqa: PLR2004  both
        raise NotTaken  # the Spark engine says what is wrong
    if (is_number(kind) or pa.types.is_float64(kind)) and all(map(_is_finite_number, given)):
        return within(name, kind, least, most, **strict)
    if pa.types.is_date32(kind) and all(isinstance(one, date) and not isinstance(one, datetime) for one in given):
        return _bounds(Compared, name, least, most, **strict)
    raise NotTaken


def _bounds(
    compared: Callable[..., Predicate],
    name: str,
    least: Any,  # noqa: ANN401  of the kind that is compared
    most: Any,  # noqa: ANN401  the same
    *,
    above: bool,
    below: bool,
) -> Predicate:
    """Returns that something of a column is within bounds, of which at least one is given."""
    lower = [] if least is None else [compared(name, ">" if above else ">=", least)]
    upper = [] if most is None else [compared(name, "<" if below else "<=", most)]
    return AllOf((*lower, *upper))


def _length_between(domain: Named, values: Named, schema: pa.Schema) -> Predicate:
    least, most = values.get("min_value"), values.get("max_value")
    given = [one for one in (least, most) if one is not None]
    is_text = pa.types.is_string(kind_of(domain["column"], schema))
    if not is_text or not given or not all(_is_whole(one) for one in given):
        raise NotTaken
    strict = {"above": bool(values.get("strict_min")), "below": bool(values.get("strict_max"))}
    return _bounds(LengthCompared, domain["column"], least, most, **strict)


def _length(domain: Named, values: Named, schema: pa.Schema) -> Predicate:
    if not pa.types.is_string(kind_of(domain["column"], schema)) or not _is_whole(values.get("value")):
        raise NotTaken
    return LengthCompared(domain["column"], "==", int(values["value"]))


def _greater(domain: Named, values: Named, schema: pa.Schema) -> Predicate:
    left, right = _pair(domain, schema)
    return Paired(left, ">=" if values.get("or_equal") else ">", right)


def _equal(domain: Named, values: Named, schema: pa.Schema) -> Predicate:
    del values
    return Same(*_pair(domain, schema))


def _pair(domain: Named, schema: pa.Schema) -> tuple[str, str]:
    left, right = domain["column_A"], domain["column_B"]
    kinds = kind_of(left, schema), kind_of(right, schema)
    unordered = pa.types.is_binary(kinds[0]) or pa.types.is_boolean(kinds[0])
    if not _are_alike(*kinds) or unordered or not equal_as_bytes(kinds[0]):
        raise NotTaken
    return left, right


def equal_as_bytes(kind: pa.DataType) -> bool:
    """Tells whether two values of a type are equal exactly where their bytes are."""
    whole = pa.types.is_int64(kind) or pa.types.is_boolean(kind) or pa.types.is_decimal(kind)
    text = pa.types.is_string(kind) or pa.types.is_binary(kind)
    return bool(whole or text or pa.types.is_date32(kind) or pa.types.is_timestamp(kind))


def _are_alike(one: pa.DataType, other: pa.DataType) -> bool:
    """Tells whether values of two types are compared without losing a digit: of one type, or decimals that fit one."""
    if pa.types.is_decimal(one) and pa.types.is_decimal(other):
        whole = max(one.precision - one.scale, other.precision - other.scale)
        return bool(whole + max(one.scale, other.scale) <= MOST_DIGITS)
    return bool(one == other)


def _is_finite_number(value: object) -> bool:
    return isinstance(value, int | float | Decimal) and not isinstance(value, bool) and math.isfinite(value)


def _is_whole(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and float(value).is_integer()


EXPECTED: Final[Mapping[str, Callable[[Named, Named, pa.Schema], Predicate]]] = {
    "column_values.nonnull": _not_null,
    "column_values.null": _null,
    "column_values.in_set": _in_set,
    "column_values.not_in_set": _not_in_set,
    "column_values.match_regex": _matching,
    "column_values.not_match_regex": _not_matching,
    "column_values.between": _between,
    "column_values.value_length.between": _length_between,
    "column_values.value_length.equals": _length,
    "column_pair_values.a_greater_than_b": _greater,
    "column_pair_values.equal": _equal,
}
"""Metric → what it expects, given its domain, arguments and schema; `NotTaken` is raised where Spark must say."""
