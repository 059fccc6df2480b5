"""Which measure answers which metric of Great Expectations, as the library's Spark engine would.

A metric is taken where counting it here surely says the same: by the types of its columns and the kinds of its
arguments. Whatever Spark would convert first — texts to numbers, days to instants — is left to Spark.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Final

import pyarrow as pa

from expectations.measures import Answer, Count, Extreme, Mean, Measure, Sum, Unique
from expectations.measures.bounds import within
from expectations.measures.conditions import MOST_DIGITS, NotTaken, condition, equal_to, is_number, kind_of
from expectations.measures.patterns import common_pattern
from expectations.measures.predicates import (
    AllOf,
    AnyOf,
    Compared,
    LengthCompared,
    Matches,
    Missing,
    Not,
    Paired,
    Predicate,
    Same,
)

_Named = Mapping[str, Any]  # Any: each metric has its own arguments


@dataclass(frozen=True)
class Known:
    """An answer for which no row is looked at."""

    answer: Answer | list[str]


def answering(metric: Any, schema: pa.Schema) -> Measure | Known:  # noqa: ANN401  untyped library
    """Returns the measure that answers a metric, or the answer itself.

    Unexpected values are asked for where counts are wanted; the answer is that there are none to be had.

    Raises:
        NotTaken: the metric is for the Spark engine.
    """
    name = metric.metric_name
    if name.endswith(".unexpected_values"):
        return Known([])
    if name in ("table.columns", "table.column_count"):
        return Known(list(schema.names) if name == "table.columns" else len(schema.names))
    where = condition(metric.metric_domain_kwargs.get("row_condition"), schema)
    if name == "table.row_count":
        return Count(where=where)
    if name in _AGGREGATES:
        return _AGGREGATES[name](metric.metric_domain_kwargs["column"], where, schema)
    return _of_rows(name, metric.metric_domain_kwargs, metric.metric_value_kwargs, where, schema)


def _of_rows(name: str, domain: _Named, values: _Named, where: Predicate | None, schema: pa.Schema) -> Measure:
    """Returns how many rows are looked at, or how many of them are unexpected."""
    where = _both(where, _not_ignored(domain, schema))
    subject, _, what = name.rpartition(".")
    if what == "filtered_row_count":
        return Count(where=where)
    if what == "unexpected_count" and subject in _UNIQUE:
        return _unique(domain, where, schema)
    if what == "unexpected_count" and subject in _EXPECTED:
        return Count(Not(_EXPECTED[subject](domain, values, schema)), where)
    raise NotTaken


def _both(one: Predicate | None, other: Predicate | None) -> Predicate | None:
    if one is None or other is None:
        return one or other
    return AllOf((one, other))


def _not_ignored(domain: _Named, schema: pa.Schema) -> Predicate | None:
    """Returns what is true of the rows that `ignore_row_if` leaves; None where it leaves all."""
    ignored = domain.get("ignore_row_if") or "never"
    if ignored in ("never", "neither"):
        return None
    names = [domain[key] for key in ("column_A", "column_B") if key in domain] or domain["column_list"]
    missing = tuple(Missing(name) for name in names if kind_of(name, schema))
    return Not((AllOf if ignored in ("all_values_are_missing", "both_values_are_missing") else AnyOf)(missing))


def _unique(domain: _Named, where: Predicate | None, schema: pa.Schema) -> Unique:
    names = (domain["column"],) if "column" in domain else tuple(domain["column_list"])
    if not all(_is_hashed(kind_of(name, schema)) for name in names):
        raise NotTaken
    return Unique(names, _both(where, Not(Missing(names[0]))) if "column" in domain else where)


def _not_null(domain: _Named, values: _Named, schema: pa.Schema) -> Predicate:
    del values
    kind_of(domain["column"], schema)
    return Not(Missing(domain["column"]))


def _null(domain: _Named, values: _Named, schema: pa.Schema) -> Predicate:
    return Not(_not_null(domain, values, schema))


def _in_set(domain: _Named, values: _Named, schema: pa.Schema) -> Predicate:
    return equal_to(domain["column"], values["value_set"] or (), schema)


def _not_in_set(domain: _Named, values: _Named, schema: pa.Schema) -> Predicate:
    return Not(_in_set(domain, values, schema))


def _matching(domain: _Named, values: _Named, schema: pa.Schema) -> Predicate:
    pattern = common_pattern(values["regex"])
    if pattern is None or not pa.types.is_string(kind_of(domain["column"], schema)):
        raise NotTaken
    return Matches(domain["column"], pattern)


def _not_matching(domain: _Named, values: _Named, schema: pa.Schema) -> Predicate:
    return Not(_matching(domain, values, schema))


def _between(domain: _Named, values: _Named, schema: pa.Schema) -> Predicate:
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


def _length_between(domain: _Named, values: _Named, schema: pa.Schema) -> Predicate:
    least, most = values.get("min_value"), values.get("max_value")
    given = [one for one in (least, most) if one is not None]
    is_text = pa.types.is_string(kind_of(domain["column"], schema))
    if not is_text or not given or not all(_is_whole(one) for one in given):
        raise NotTaken
    strict = {"above": bool(values.get("strict_min")), "below": bool(values.get("strict_max"))}
    return _bounds(LengthCompared, domain["column"], least, most, **strict)


def _length(domain: _Named, values: _Named, schema: pa.Schema) -> Predicate:
    if not pa.types.is_string(kind_of(domain["column"], schema)) or not _is_whole(values.get("value")):
        raise NotTaken
    return LengthCompared(domain["column"], "==", int(values["value"]))


def _greater(domain: _Named, values: _Named, schema: pa.Schema) -> Predicate:
    left, right = _pair(domain, schema)
    return Paired(left, ">=" if values.get("or_equal") else ">", right)


def _equal(domain: _Named, values: _Named, schema: pa.Schema) -> Predicate:
    del values
    return Same(*_pair(domain, schema))


def _pair(domain: _Named, schema: pa.Schema) -> tuple[str, str]:
    left, right = domain["column_A"], domain["column_B"]
    kinds = kind_of(left, schema), kind_of(right, schema)
    unordered = pa.types.is_binary(kinds[0]) or pa.types.is_boolean(kinds[0])
    if not _are_alike(*kinds) or unordered or not _is_hashed(kinds[0]):
        raise NotTaken
    return left, right


def _total(kind: type[Sum]) -> Callable[[str, Predicate | None, pa.Schema], Measure]:
    def measure(name: str, where: Predicate | None, schema: pa.Schema) -> Measure:
        found = kind_of(name, schema)
        if not is_number(found) and not pa.types.is_float64(found):
            raise NotTaken
        return kind(name, found, where)

    return measure


def _extreme(*, largest: bool) -> Callable[[str, Predicate | None, pa.Schema], Measure]:
    """Returns what measures a bound of numbers or days; the bound of a text would be a value of a row."""

    def measure(name: str, where: Predicate | None, schema: pa.Schema) -> Measure:
        found = kind_of(name, schema)
        if not is_number(found) and not pa.types.is_date32(found):
            raise NotTaken
        return Extreme(name, largest, where)

    return measure


def _is_hashed(kind: pa.DataType) -> bool:
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


_AGGREGATES: Final = {
    "column.mean": _total(Mean),
    "column.sum": _total(Sum),
    "column.min": _extreme(largest=False),
    "column.max": _extreme(largest=True),
}
_UNIQUE: Final = frozenset({"column_values.unique", "compound_columns.unique"})
_EXPECTED: Final[Mapping[str, Callable[[_Named, _Named, pa.Schema], Predicate]]] = {
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
