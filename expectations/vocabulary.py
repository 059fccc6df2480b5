"""Great Expectations' vocabulary as a table, so that a suite is judged without importing the library for seconds.

`vocabulary.json` is written by `scripts/generate_vocabulary.py` from the library's own models. It names every core
expectation and its arguments, and, as far as JSON can say it, which values the library surely takes. What the table
does not vouch for is put before the library itself (`expectations.build`), whose word is the last.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

from expectations.checks import Check
from schemas.package_data import data_folder

TABLE: Final = data_folder("expectations") / "vocabulary.json"
_EXACT: Final = 2**53
"""Up to here an integer and its float are one number, so that it does not matter which of them a model reads."""


_PLAIN: Final[Mapping[type, frozenset[str]]] = {
    type(None): frozenset({"null"}),
    bool: frozenset({"boolean"}),
    int: frozenset({"integer", "number"}),
    float: frozenset({"number"}),
    str: frozenset({"string"}),
}


@dataclass(frozen=True, slots=True)
class Argument:
    """What is known of one argument.

    Attributes:
        required: whether the expectation cannot do without it.
        takes: kinds of values that it surely takes: string, boolean, integer, number, array, strings, null.
        among: the only strings that it takes; empty where any will do.
        least: a number is at least so large.
        most: a number is at most so large.
        length: a text or a list is at least so long.
    """

    required: bool = False
    takes: tuple[str, ...] = ()
    among: tuple[str, ...] = ()
    least: float = -_EXACT
    most: float = _EXACT
    length: int = 0

    def fits(self, value: object) -> bool:
        """Tells whether the table vouches for a value."""
        return not _kinds(value).isdisjoint(self.takes) and self._within(value)

    def _within(self, value: object) -> bool:
        match value:
            case None | bool():
                return True
            case int() | float():
                return self.least <= value <= self.most
            case str():
                return len(value) >= self.length and (not self.among or value in self.among)
            case list():
                return len(value) >= self.length
        return False


@dataclass(frozen=True, slots=True)
class Expectation:
    """One core expectation.

    Attributes:
        arguments: name → what is known of it.
        rules: what its arguments must keep together: `one limit` (a smallest or a largest value is given) and
            `ordered limits` (the smallest is not above the largest); `unknown` where only the library can say.
    """

    arguments: Mapping[str, Argument]
    rules: tuple[str, ...] = ()

    def takes(self, given: Mapping[str, Any]) -> bool:
        """Tells whether the table vouches for the arguments, each for itself and all together."""
        complete = all(name in given for name, argument in self.arguments.items() if argument.required)
        fitting = all(name in self.arguments and self.arguments[name].fits(value) for name, value in given.items())
        return complete and fitting and all(_kept(rule, given) for rule in self.rules)


def expectation_names() -> tuple[str, ...]:
    """Returns the names of all core expectations, in snake case."""
    return tuple(sorted(_table()))


def arguments(expect: str) -> frozenset[str] | None:
    """Returns the names of an expectation's arguments; None where there is no such core expectation."""
    known = _table().get(expect)
    return None if known is None else frozenset(known.arguments)


def vouched(check: Check) -> bool:
    """Tells whether the table vouches that Great Expectations takes a check; if not, the library must be asked."""
    known = _table().get(check.expect)
    return known is not None and known.takes(check.kwargs)


def _kinds(value: object) -> frozenset[str]:
    """Returns the kinds of argument that a value is."""
    if isinstance(value, list):
        return frozenset({"array", "strings"} if all(isinstance(item, str) for item in value) else {"array"})
    return _PLAIN.get(type(value), frozenset())


def _kept(rule: str, given: Mapping[str, Any]) -> bool:
    low, high = given.get("min_value"), given.get("max_value")
    match rule:
        case "one limit":
            return low is not None or high is not None
        case "ordered limits":
            return low is None or high is None or bool(low <= high)
    return False


@lru_cache(maxsize=1)
def _table() -> Mapping[str, Expectation]:
    written = json.loads(TABLE.read_text(encoding="utf-8"))["expectations"]
    return {name: _expectation(**known) for name, known in written.items()}


def _expectation(arguments: Mapping[str, Mapping[str, Any]], rules: tuple[str, ...] = ()) -> Expectation:
    return Expectation({name: Argument(**known) for name, known in arguments.items()}, tuple(rules))
