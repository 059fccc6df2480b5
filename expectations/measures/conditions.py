"""Row conditions as predicates: those that Great Expectations has taken apart, and the plain ones of Spark's SQL.

Taken are comparisons of a column with a literal of its own kind, `IN`, `IS [NOT] NULL`, and what `AND` (in Great
Expectations' own words `OR` too) makes of them. Whatever else Spark's SQL can say is left to Spark.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Final

import pyarrow as pa

from expectations.measures.bounds import reaching
from expectations.measures.literals import MOST_DIGITS, NotTaken, equal_to, fits, is_number, kind_of
from expectations.measures.predicates import AllOf, AnyOf, Missing, Not, Predicate, Relation

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
    if how is None or not is_number(kind) or not fits(value, kind):
        raise NotTaken
    reached = reaching(name, kind, value, above=how in (">", "<="))
    return Not(reached) if how in ("<", "<=") else reached
