"""Guesses a column's class, and whether its values may be published as they are; what is unclear may not."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from masking.policy import ColumnClass
from masking.policy.names import Meaning, meaning
from schemas.types import ColumnType

_NUMBERS: Final = frozenset({"int64", "numeric", "float64"})
_INSTANTS: Final = frozenset({"date", "datetime", "timestamp"})
_NO_CODES: Final = frozenset({"identifier", "free_text", "person_name"})
"""What a list of values that the database fixes cannot be, whatever its name says."""
_NUMBERS_TELL: Final = {
    "measure": "a measure", "code": "codes by its name", "short_code": "codes by its name", "time": "a time",
}  # fmt: skip
_TEXTS_TELL: Final = {
    "code": "fixed codes by its name", "short_code": "short codes by its name", "time": "a time",
    "thing": "the name of a thing",
}  # fmt: skip
_LONGEST: Final = {"code": 255, "short_code": 64, "time": 32, "thing": 255}
"""By kind: the longest text that is still what its name says."""
_WITHOUT_LIMIT: Final = frozenset({"code", "thing"})
"""What a text without any limit may be, where no word of its name speaks of a person."""


@dataclass(frozen=True)
class Guess:
    """What a name and a type promise.

    Attributes:
        column_class: what the value is.
        word: the words that say so, as the table has them; empty where nothing does.
        harmless: why the value may be published as it is; empty where it may not, or where nobody can tell.
        source: where the words stand: the name or the comment.
    """

    column_class: ColumnClass
    word: str = ""
    harmless: str = ""
    source: str = "name"


def guess(
    name: str,
    kind: ColumnType | None,
    *,
    enum: bool = False,
    length: int | None = None,
    comment: str = "",
    table: str = "",
) -> Guess:
    """Returns the guess about one column.

    Args:
        name: of the column at the source.
        kind: its contract type; None where the types table has none.
        enum: whether the database itself limits the values to a list.
        length: the most characters that a text may have; None where there is no limit.
        comment: the database's own description; it can make a column sensitive, never harmless.
        table: its table's name, which tells what `number` alone is of.
    """
    type_name = kind.name if kind else "bytes"
    said = meaning(name, table)
    promised = _promised(said, type_name, enum=enum) or _promised(meaning(comment), type_name, "comment", enum=enum)
    if promised:
        return promised
    harmless = _harmless(said, type_name, length, enum=enum)
    text = type_name in {"string", "json"}
    return Guess(ColumnClass.FREE_TEXT if text and not harmless else ColumnClass.NONE, harmless=harmless)


def _promised(said: Meaning, type_name: str, source: str = "name", *, enum: bool) -> Guess | None:
    """Returns what the words promise, where the type can hold it."""
    if not said.fits(type_name) or (enum and said.kind in _NO_CODES):
        return None
    return Guess(said.column_class, said.phrase, source=source)


def _harmless(said: Meaning, type_name: str, length: int | None, *, enum: bool) -> str:
    if enum:
        return "a list of values that the database fixes"
    if type_name == "bool":
        return "true or false"
    if type_name in _INSTANTS:
        return "a time at which something happened" if said.dated else ""
    if type_name in _NUMBERS:
        return _NUMBERS_TELL.get(said.head, "")
    if type_name != "string" or said.head not in _LONGEST:
        return ""
    fits = length <= _LONGEST[said.head] if length is not None else said.head in _WITHOUT_LIMIT and said.clear
    return _TEXTS_TELL[said.head] if fits else ""
