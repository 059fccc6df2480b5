"""Row conditions as predicates: those that Great Expectations has taken apart, and the plain ones of Spark's SQL.

Taken are comparisons of a column with a literal of its own kind, `IN`, `IS [NOT] NULL`, and what `AND` (in Great
Expectations' own words `OR` too) makes of them. Whatever else Spark's SQL can say is left to Spark.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from decimal import Decimal
from fractions import Fraction
from typing import Any, Final

import pyarrow as pa

from expectations.measures.bounds import limits, reaching
from expectations.measures.predicates import AllOf, AnyOf, Missing, Not, OneOf, Predicate, Relation

_NAME: Final = r"(?:`(?P<quoted>[^`]+)`|(?P<name>[A-Za-z_][A-Za-z0-9_]*))"
_LITERAL: Final = r"(?:'[^'\"\\]*'|\"[^'\"\\]*\"|-?\d+(?:\.\d+)?|TRUE|FALSE)"
_COMPARISON: Final = re.compile(
    rf"\s*{_NAME}\s*(?P<relation>==?|!=|<>|<=|>=|<|>)\s*(?P<value>{_LITERAL})\s*", re.IGNORECASE
)
_MEMBERSHIP: Final = re.compile(
    rf"\s*{_NAME}\s+(?P<not>NOT\s+)?IN\s*\(\s*(?P<values>{_LITERAL}(?:\s*,\s*{_LITERAL})*)\s*\)\s*", re.IGNORECASE
)
_NULLITY: Final = re.compile(rf"\s*{_NAME}\s+IS\s+(?P<not>NOT\s+)?NULL\s*", re.IGNORECASE)
_AND: Final = re.compile(r"AND\b", re.IGNORECASE)
_RELATIONS: Final[Mapping[str, Relation]] = {
    "=": "==",
    "==": "==",
    "!=": "!=",
    "<>": "!=",
    "<": "<",
    "<=": "<=",
    ">": ">",
    ">=": ">=",
}
MOST_DIGITS: Final = 38
_DIGITS_OF_INT64: Final = 20


class NotTaken(Exception):
    """A condition, or what an expectation asks, is left to another engine."""


def condition(given: Any, schema: pa.Schema) -> Predicate | None:  # noqa: ANN401  a dict of Great Expectations' own
    """Returns a row condition as a predicate; None where there is none.

    Args:
        given: as Great Expectations hands it to a metric.
        schema: of the table.

    Raises:
        NotTaken: it says more than is taken here.
    """
    if not given:
        return None
    match given:
        case {"type": "pass_through", "pass_through_filter": str(text)}:
            return _of_sql(text, schema)
        case {"type": "comparison", "column": {"name": str(name)}, "operator": str(relation), "parameter": value}:
            return _of_parts(name, relation, value, schema)
        case {"type": "nullity", "column": {"name": str(name)}, "is_null": bool(missing)}:
            return _nullity(name, schema, missing=missing)
        case {"type": "and" | "or" as how, "conditions": [*parts]} if parts:
            every = [condition(part, schema) for part in parts]
            known = tuple(one for one in every if one is not None)
            return AllOf(known) if how == "and" else AnyOf(known)
    raise NotTaken


def equal_to(name: str, values: Sequence[Any], schema: pa.Schema) -> Predicate:
    """Returns that a column is one of some values, all of its own kind.

    Raises:
        NotTaken: the column does not exist, or Spark would convert it or a value first.
    """
    kind = kind_of(name, schema)
    if not values or not all(_fits(value, kind) for value in values):
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


def _fits(value: object, kind: pa.DataType) -> bool:
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


def _of_parts(name: str, relation: str, value: Any, schema: pa.Schema) -> Predicate:  # noqa: ANN401  a literal
    """Returns a comparison of Great Expectations, which spells its literals in SQL by `repr`."""
    if relation in ("IN", "NOT_IN"):
        found = equal_to(name, [_spelled(one) for one in value], schema)
        return Not(found) if relation == "NOT_IN" else found
    return _compared(name, relation, _spelled(value), schema)


def _spelled(value: object) -> object:
    """Returns what SQL reads of a literal's `repr`: of a number with a point, a decimal."""
    if isinstance(value, float):
        return _literal(repr(value)) if re.fullmatch(_LITERAL, repr(value)) else value
    plain = isinstance(value, str) and value.isprintable() and not set(value) & set("'\"\\")
    if plain or isinstance(value, int):
        return value
    raise NotTaken


def _of_sql(text: str, schema: pa.Schema) -> Predicate:
    """Returns terms that AND joins."""
    found, place = [], 0
    while True:
        term, place = _term(text, place, schema)
        found.append(term)
        if place == len(text):
            return AllOf(tuple(found))
        joint = _AND.match(text, place)
        if joint is None:
            raise NotTaken
        place = joint.end()


def _term(text: str, place: int, schema: pa.Schema) -> tuple[Predicate, int]:
    """Returns the term that begins at a place, and where it ends."""
    if found := _NULLITY.match(text, place):
        return _nullity(_named(found), schema, missing=not found["not"]), found.end()
    if found := _MEMBERSHIP.match(text, place):
        values = [_literal(one) for one in re.findall(_LITERAL, found["values"], re.IGNORECASE)]
        chosen = equal_to(_named(found), values, schema)
        return (Not(chosen) if found["not"] else chosen), found.end()
    if found := _COMPARISON.match(text, place):
        return _compared(_named(found), found["relation"], _literal(found["value"]), schema), found.end()
    raise NotTaken


def _named(found: re.Match[str]) -> str:
    return found["quoted"] or found["name"]


def _literal(text: str) -> str | int | bool | Decimal:
    if text[0] in "'\"":
        return text[1:-1]
    if text.upper() in ("TRUE", "FALSE"):
        return text.upper() == "TRUE"
    if len(text) > MOST_DIGITS:
        raise NotTaken
    return Decimal(text) if "." in text else int(text)


def _nullity(name: str, schema: pa.Schema, *, missing: bool) -> Predicate:
    kind_of(name, schema)
    return Missing(name) if missing else Not(Missing(name))


def _compared(name: str, relation: str, value: Any, schema: pa.Schema) -> Predicate:  # noqa: ANN401  a literal
    """Returns that a column stands in a relation to a literal of its own kind."""
    kind, how = kind_of(name, schema), _RELATIONS.get(relation)
    if how in ("==", "!="):
        equal = equal_to(name, [value], schema)
        return Not(equal) if how == "!=" else equal
    if how is None or not is_number(kind) or not _fits(value, kind):
        raise NotTaken
    reached = reaching(name, kind, value, above=how in (">", "<="))
    return Not(reached) if how in ("<", "<=") else reached
