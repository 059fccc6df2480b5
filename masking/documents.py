"""JSON documents whose scalars are replaced one path at a time: what no path names is not carried over."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import TypeGuard

from masking.exact import plain

Scalar = str | int | bool | Decimal | None
Container = dict[str, object] | list[object]

LIST = "[]"
_MOST_DIGITS = 60


@dataclass(frozen=True, repr=False)
class Slot:
    """Where one scalar stood and where its masked form goes."""

    document: int
    value: Scalar
    _target: Container
    _key: str | int

    def fill(self, value: object) -> None:
        """Puts the masked form in its place."""
        self._target[self._key] = value  # type: ignore[index]  # an int goes with a list, a str with a dict


class Documents:
    """Parsed JSON objects beside the objects that replace them, which hold only what slots were filled with.

    A text that is no JSON object, or that has an object or a list where a path wants a scalar, is spoiled: its
    replacement is null.
    """

    def __init__(self, texts: Sequence[str | None]) -> None:
        self._sources = [_parsed(text) for text in texts]
        self._targets: list[dict[str, object]] = [{} for _ in texts]
        self._spoiled = [not isinstance(source, dict) for source in self._sources]

    def slots(self, path: str) -> list[Slot]:
        """Returns the slot of every scalar that the path leads to, in all documents that have it."""
        steps = [step for part in path.split(".") for step in _steps(part)]
        return [
            slot
            for number, source in enumerate(self._sources)
            if isinstance(source, dict)
            for slot in self._walk(number, source, self._targets[number], steps)
        ]

    def spoil(self, slot: Slot) -> None:
        """Sets the slot's document aside: its replacement becomes null."""
        self._spoiled[slot.document] = True

    def texts(self) -> list[str | None]:
        """Returns the replacements as canonical JSON, null for spoiled documents."""
        return [None if bad else written(target) for bad, target in zip(self._spoiled, self._targets, strict=True)]

    def _walk(self, number: int, source: object, target: Container, steps: list[str]) -> Iterator[Slot]:
        """Follows the steps from an object or a list; `target` is the container that takes its place."""
        step, further = steps[0], steps[1:]
        for key, value in _members(source, step):
            if not further:
                if _is_scalar(value):
                    yield Slot(number, value, target, key)
                else:
                    self._spoiled[number] = True
            elif isinstance(value, list) if further[0] == LIST else isinstance(value, dict):
                yield from self._walk(number, value, _inner(target, key, value), further)


def written(value: object) -> str:
    """Writes canonical JSON: keys sorted, no spaces, numbers exact and without exponent, text as it is."""
    if isinstance(value, dict):
        return "{" + ",".join(f"{written(key)}:{written(value[key])}" for key in sorted(value)) + "}"
    if isinstance(value, list):
        return "[" + ",".join(written(element) for element in value) + "]"
    return plain(value) if isinstance(value, Decimal) else json.dumps(value, ensure_ascii=False)


def as_text(value: Scalar) -> str | None:
    """Returns a scalar as text: numbers without exponent and trailing zeros, `true`, `false`; null stays null."""
    if value is None or isinstance(value, str):
        return value
    return written(value)


def _steps(part: str) -> tuple[str, ...]:
    return (part.removesuffix(LIST), LIST) if part.endswith(LIST) else (part,)


def _members(source: object, step: str) -> Iterator[tuple[str | int, object]]:
    if isinstance(source, list):
        yield from enumerate(source)
    elif isinstance(source, dict) and step in source:
        yield step, source[step]


def _inner(target: Container, key: str | int, value: object) -> Container:
    """Returns the container that replaces `value`, made at its first visit; a list keeps its length."""
    held = target.get(str(key)) if isinstance(target, dict) else target[int(key)]
    if held is None:
        held = {} if isinstance(value, dict) else [None] * len(value)  # type: ignore[arg-type]  # a list by the caller
        target[key] = held  # type: ignore[index]  # an int goes with a list, a str with a dict
    return held  # type: ignore[return-value]  # only containers are put where a path leads on


def _is_scalar(value: object) -> TypeGuard[Scalar]:
    if isinstance(value, str):
        return value.isascii() or _encodes(value)
    return value is None or isinstance(value, bool | int | Decimal)


def _encodes(text: str) -> bool:
    """Tells whether text has a UTF-8 form: JSON can spell half of a surrogate pair, which has none."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _parsed(text: str | None) -> object:
    if text is None:
        return None
    try:
        return json.loads(text, parse_float=_number, parse_int=_integer, parse_constant=_refuse)
    except (ValueError, RecursionError, ArithmeticError):
        return None


def _number(literal: str) -> Decimal:
    number = Decimal(literal)
    if abs(number.adjusted()) > _MOST_DIGITS or len(literal) > _MOST_DIGITS:
        raise ValueError("a number of more digits than any column has")
    return number


def _integer(literal: str) -> int:
    if len(literal) > _MOST_DIGITS:
        raise ValueError("a number of more digits than any column has")
    return int(literal)


def _refuse(literal: str) -> object:
    del literal
    raise ValueError("JSON has no such number")
