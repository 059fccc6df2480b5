"""Which measure answers which metric of Great Expectations, as the library's Spark engine would.

A metric is taken where counting it here surely says the same: by the types of its columns and the kinds of its
arguments. Whatever Spark would convert first — texts to numbers, days to instants — is left to Spark.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import pyarrow as pa

from expectations.expected import EXPECTED, Named, equal_as_bytes
from expectations.measures import Answer, Count, Extreme, Mean, Measure, Sum, Unique
from expectations.measures.conditions import condition
from expectations.measures.literals import NotTaken, is_number, kind_of
from expectations.measures.predicates import AllOf, AnyOf, Missing, Not, Predicate


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


def _of_rows(name: str, domain: Named, values: Named, where: Predicate | None, schema: pa.Schema) -> Measure:
    """Returns how many rows are looked at, or how many of them are unexpected."""
    where = _both(where, _not_ignored(domain, schema))
    subject, _, what = name.rpartition(".")
    if what == "filtered_row_count":
        return Count(where=where)
    if what == "unexpected_count" and subject in _UNIQUE:
        return _unique(domain, where, schema)
    if what == "unexpected_count" and subject in EXPECTED:
        return Count(Not(EXPECTED[subject](domain, values, schema)), where)
    raise NotTaken


def _both(one: Predicate | None, other: Predicate | None) -> Predicate | None:
    if one is None or other is None:
        return one or other
    return AllOf((one, other))


def _not_ignored(domain: Named, schema: pa.Schema) -> Predicate | None:
    """Returns what is true of the rows that `ignore_row_if` leaves; None where it leaves all."""
    ignored = domain.get("ignore_row_if") or "never"
    if ignored in ("never", "neither"):
        return None
    names = [domain[key] for key in ("column_A", "column_B") if key in domain] or domain["column_list"]
    for name in names:
        kind_of(name, schema)  # each is there
    every = ignored in ("all_values_are_missing", "both_values_are_missing")
    return Not((AllOf if every else AnyOf)(tuple(map(Missing, names))))


def _unique(domain: Named, where: Predicate | None, schema: pa.Schema) -> Unique:
    names = (domain["column"],) if "column" in domain else tuple(domain["column_list"])
    if not all(equal_as_bytes(kind_of(name, schema)) for name in names):
        raise NotTaken
    return Unique(names, _both(where, Not(Missing(names[0]))) if "column" in domain else where)


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


_AGGREGATES: Final = {
    "column.mean": _total(Mean),
    "column.sum": _total(Sum),
    "column.min": _extreme(largest=False),
    "column.max": _extreme(largest=True),
}
_UNIQUE: Final = frozenset({"column_values.unique", "compound_columns.unique"})
