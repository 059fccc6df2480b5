"""Guesses a column's class, and whether its values may be published as they are; what is unclear may not."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from masking.policy import ColumnClass
from masking.policy.names import promised_class
from schemas.guess.names import ColumnName, weight
from schemas.guess.words import CODES, MEASURES, SENSITIVE, SPECIAL_CARE, TIMES
from schemas.types import ColumnType

_NUMBERS: Final = frozenset({"int64", "numeric", "float64"})
_INSTANTS: Final = frozenset({"date", "datetime", "timestamp"})
_LONGEST_CODE: Final = 32
_NO_CODES: Final = frozenset({ColumnClass.IDENTIFIER, ColumnClass.FREE_TEXT, ColumnClass.PERSON_NAME})
"""What a list of values that the database fixes cannot be, whatever its name says."""


@dataclass(frozen=True)
class Guess:
    """What a name and a type promise.

    Attributes:
        column_class: what the value is.
        word: the word of the name that says so; empty where nothing does.
        harmless: why the value may be published as it is; empty where it may not, or where nobody can tell.
    """

    column_class: ColumnClass
    word: str = ""
    harmless: str = ""


def guess(
    name: str, kind: ColumnType | None, *, enum: bool = False, length: int | None = None, comment: str = ""
) -> Guess:
    """Returns the guess about one column.

    Args:
        name: of the column at the source.
        kind: its contract type; None where the types table has none.
        enum: whether the database itself limits the values to a list.
        length: the most characters that a text may have; None where there is no limit.
        comment: the database's own description; it can make a column sensitive, never harmless.
    """
    type_name = kind.name if kind else "bytes"
    read = ColumnName(name)
    promised = _promised(read, type_name) or _promised(ColumnName(comment), type_name)
    if promised and not (enum and promised.column_class in _NO_CODES):
        return promised
    by_policy = promised_class(name)
    if by_policy and type_name not in _INSTANTS | {"bool"}:
        return Guess(by_policy, name)
    special = read.longest(SPECIAL_CARE.latin, SPECIAL_CARE.japanese)
    harmless = "" if special else _harmless(read, type_name, enum, length)
    text = type_name in {"string", "json"}
    return Guess(ColumnClass.FREE_TEXT if text and not harmless else ColumnClass.NONE, harmless=harmless)


def _promised(name: ColumnName, kind: str) -> Guess | None:
    """Returns the class whose word in the name says most."""
    found = [
        Guess(words.column_class, word)
        for words in SENSITIVE
        if kind in words.types and (word := name.longest(words.latin, words.japanese))
    ]
    return max(found, key=lambda one: weight(one.word), default=None)


def _harmless(name: ColumnName, kind: str, enum: bool, length: int | None) -> str:  # noqa: FBT001  private
    if enum:
        return "a list of values that the database fixes"
    if kind == "bool":
        return "true or false"
    if kind in _INSTANTS and name.ends_with(TIMES.latin, TIMES.japanese):
        return "a time at which something happened"
    if kind in _NUMBERS and name.longest(MEASURES.latin, MEASURES.japanese):
        return "a measure"
    if kind == "string" and length is not None and length <= _LONGEST_CODE:
        return "fixed codes by its name" if name.ends_with(CODES.latin, CODES.japanese) else ""
    return ""
