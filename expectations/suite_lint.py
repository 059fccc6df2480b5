"""Finds what is wrong with a suite before anything runs: unknown expectations, arguments and columns, each in place."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any, Final

import pyarrow as pa
from pydantic import ValidationError

from expectations.checks import Check
from expectations.suite import Suite
from expectations.vocabulary import arguments, expectation_names, vouched
from schemas.written import texts_in, written_problems

_QUOTED: Final = re.compile(r"'[^']*'|\"[^\"]*\"")
_NAMED: Final = re.compile(r"""col\(\s*["']([^"']+)["']\s*\)""")
_WORD: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*(?!\w)(?!\s*\()")
_SQL: Final = re.compile(
    r"and|or|not|is|null|in|r?like|between|true|false|case|when|then|else|end|date|timestamp|interval|days?|hours?|cast|"
    r"as|string|int|bigint|decimal|double|boolean|div",
    re.IGNORECASE,
)
_CALLED: Final = re.compile(r"\b([A-Za-z_][A-Za-z0-9_]*)\s*\(")
_HARMLESS: Final = frozenset({
    "abs", "ceil", "coalesce", "contains", "day", "dayofweek", "endswith", "floor", "greatest", "hour", "if", "ifnull",
    "isnan", "isnotnull", "isnull", "least", "left", "length", "lower", "ltrim", "month", "nullif", "nvl", "right",
    "round", "rtrim", "startswith", "substr", "substring", "trim", "upper", "year",
})  # fmt: skip
"""Functions of Spark's SQL that give NULL for what they cannot take; others fail, and Spark's message has the value."""
_NO_TYPES: Final[Mapping[str, pa.DataType]] = {}


@dataclass(frozen=True)
class SuiteProblem:
    """One thing that is wrong and the keys that lead to it."""

    keys: tuple[str | int, ...]
    message: str


def suite_problems(
    raw: Mapping[str, object],
    table: str,
    published: Collection[str],
    types: Mapping[str, pa.DataType] = _NO_TYPES,
) -> tuple[SuiteProblem, ...]:
    """Returns everything that is wrong with a suite, in its order.

    Args:
        raw: the suite as its YAML says.
        table: the contract's table.
        published: names of the table's published columns.
        types: what they hold, as far as it is known; sets of values are compared with it.
    """
    try:
        suite = Suite.model_validate(raw)
    except ValidationError as error:
        details = error.errors(include_url=False, include_context=False, include_input=False)
        return tuple(SuiteProblem(tuple(one["loc"]), f"{_spelled(one['loc'])}: {one['msg']}") for one in details)
    return tuple(_problems(suite, table, published, types))


def _spelled(keys: tuple[int | str, ...]) -> str:
    return ".".join(map(str, keys))


def _problems(
    suite: Suite, table: str, published: Collection[str], types: Mapping[str, pa.DataType]
) -> Iterator[SuiteProblem]:
    if suite.table != table:
        yield SuiteProblem(("table",), f"the suite is of table {suite.table}, its file of {table}")
    column = suite.freshness.column
    if column is not None and column not in published:
        yield SuiteProblem(("freshness", "column"), f"freshness names {column}, which is not published")
    for position, one in enumerate(suite.expectations):
        for problem in written_problems(texts_in(one.kwargs), "an argument"):
            yield SuiteProblem(("expectations", position, "kwargs"), problem)
    for position, name in enumerate(suite.joins.leave_out):
        if name not in published:
            yield SuiteProblem(("joins", "leave_out", position), f"joins leave out {name}, which is not published")
    for number, check in enumerate(suite.checks):
        for keys, message in _of_one(check, published):
            yield SuiteProblem(("expectations", number, *keys), f"{check.expect}: {message}")
        message = _wrong_set(check, types)
        if message:
            yield SuiteProblem(("expectations", number, "kwargs", "value_set"), f"{check.expect}: {message}")


def _of_one(check: Check, published: Collection[str]) -> Iterator[tuple[tuple[str, ...], str]]:
    known = arguments(check.expect)
    if known is None:
        near = get_close_matches(check.expect, expectation_names(), n=1)
        yield ("expect",), "there is no such core expectation" + (f"; did you mean {near[0]}?" if near else "")
        return
    unknown = [name for name in check.kwargs if name not in known]
    for name in unknown:
        near = get_close_matches(name, known, n=1)
        yield ("kwargs", name), f"takes no {name}" + (f"; did you mean {near[0]}?" if near else "")
    if not unknown and not vouched(check):
        from expectations.build import argument_problems  # noqa: PLC0415  Great Expectations takes seconds to import

        for name, message in argument_problems(check):
            yield ("kwargs", name), message
    for name in _called(check.kwargs):
        yield ("kwargs", "row_condition"), f"calls {name}, which may fail on a value and quote it"
    for name in sorted({*check.columns, *_in_condition(check.kwargs)} - set(published)):
        yield ("kwargs", _key_of(name, check.kwargs)), f"column {name} is not published"


def _wrong_set(check: Check, types: Mapping[str, pa.DataType]) -> str:
    """Tells what is wrong with a set of values: YAML reads 1 and true as no texts, so they are in no text column."""
    kinds = {type(value) for value in _listed(check.kwargs.get("value_set"))}
    column = types.get(str(check.kwargs.get("column")))
    if column is not None and pa.types.is_string(column) and kinds - {str}:
        return "value_set has numbers or true and false for a column of texts; write each value in quotes"
    if column is not None and pa.types.is_integer(column) and kinds - {int}:
        return "value_set has other values than whole numbers for a column of whole numbers"
    if len(kinds) > 1 and kinds & {str, bool}:
        return "value_set mixes texts, numbers, or true and false; write texts in quotes"
    return ""


def _key_of(column: str, kwargs: Mapping[str, Any]) -> str:
    return next((key for key, value in kwargs.items() if value == column or column in _listed(value)), "row_condition")


def _listed(value: object) -> Collection[object]:
    return value if isinstance(value, list | tuple) else ()


def _called(kwargs: Mapping[str, Any]) -> list[str]:
    """Returns the functions of Spark's that a row condition calls and that are not known to take every value."""
    condition = kwargs.get("row_condition")
    if not isinstance(condition, str) or str(kwargs.get("condition_parser", "spark")).startswith("great_expectations"):
        return []
    called = _CALLED.findall(_QUOTED.sub(" ", condition))
    return sorted({name for name in called if not _SQL.fullmatch(name) and name.lower() not in _HARMLESS})


def _in_condition(kwargs: Mapping[str, Any]) -> set[str]:
    """Returns the columns that a row condition names, in Great Expectations' own words or in Spark's SQL."""
    condition = kwargs.get("row_condition")
    if not isinstance(condition, str):
        return set()
    if str(kwargs.get("condition_parser", "spark")).startswith("great_expectations"):
        return set(_NAMED.findall(condition))
    words = _WORD.findall(_QUOTED.sub(" ", condition).replace("`", " "))
    return {word for word in words if not _SQL.fullmatch(word)}
