"""Says what a column's name means: the kind of the table's phrases that decides."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from masking.policy.classes import ColumnClass
from masking.policy.names.reading import read
from masking.policy.names.table import BEGINNING, END, HARMLESS, words

GRAVEST: Final = ("sensitive_authentication", "national_id", "pan", "card_expiry", "birth_date", "personal")
"""Kinds that decide wherever they stand in a name, the first of them before the others."""
_OF_PERSONS: Final = frozenset(
    {"email", "ip_address", "postal_code", "address", "person_name", "phone", "account_number"}
)
_GENERIC: Final = frozenset(
    {"name", "title", "number", "code", "month", "year", "value", "token", "key", "rate", "amount"}
)
"""Words that say nothing alone: the table's name goes before them."""
_NAMES: Final = frozenset({"person_name", "free_text"})
_WRITTEN: Final = frozenset({"string", "json", "bytes", "int64", "numeric"})
_TEXT: Final = frozenset({"string", "json", "bytes"})
_INSTANTS: Final = frozenset({"date", "datetime", "timestamp"})
_HELD_BY: Final = {
    "person_name": _TEXT,
    "email": _TEXT,
    "ip_address": _TEXT,
    "free_text": _TEXT,
    "address": _TEXT | {"numeric", "float64"},
    "birth_date": _WRITTEN | _INSTANTS,
    "card_expiry": _WRITTEN | _INSTANTS,
    "personal": _WRITTEN | _INSTANTS | {"float64", "bool"},
}
"""The contract types that can hold what a name says; a flag `email_verified` holds no address."""
_OF_TABLES: Final = frozenset({"master", "data", "table", "list", "info", "mtb", "dtb", "tbl", "m", "t"})
"""Words of tables' names that say nothing about their rows."""


@dataclass(frozen=True)
class Meaning:
    """What a name says.

    Attributes:
        kind: of `words.yaml`; empty where the table knows none.
        phrase: the words that say so.
        head: the kind of what stands last: of `password_changed_at` a time.
        dated: whether some word speaks of a time.
        clear: whether no word speaks of anything sensitive.
    """

    kind: str = ""
    phrase: str = ""
    head: str = ""
    dated: bool = False
    clear: bool = True

    @property
    def column_class(self) -> ColumnClass:
        """The class of contracts that the kind is; `none` for what is harmless, unknown, or only personal."""
        known = self.kind in {one.value for one in ColumnClass}
        return ColumnClass(self.kind) if known else ColumnClass.NONE

    @property
    def sensitive(self) -> bool:
        """Whether the name says that the values concern a person or a card."""
        return bool(self.kind) and self.kind not in HARMLESS

    def fits(self, type_name: str) -> bool:
        """Tells whether the name says something sensitive that a contract type can hold."""
        return self.sensitive and type_name in _HELD_BY.get(self.kind, _WRITTEN)


@dataclass(frozen=True)
class _Found:
    kind: str
    phrase: tuple[str, ...]
    end: int

    @property
    def rank(self) -> tuple[int, int]:
        return self.end, len(self.phrase)


@lru_cache(maxsize=65_536)
def meaning(name: str, table: str = "") -> Meaning:
    """Returns what a column's name says, in any script.

    Args:
        name: of the column.
        table: its table, which tells what `number` or `name` alone is of.
    """
    own = read(name)
    said = [word for word in own if not word.isdecimal()]
    found = [*_found(own), *_found(tuple(said))]
    context: tuple[str, ...] = ()
    if table and len(said) == 1 and said[0] in _GENERIC:
        context = tuple(word for word in read(table) if word not in _OF_TABLES)
        found += _found((*context, *said))
    if not found:
        return Meaning()
    head = max(found, key=lambda one: one.rank)
    if head.kind == "short_code":  # a word too loose to say that `phone_work` is a code
        head = max((one for one in found if one.kind in _OF_PERSONS), key=lambda one: one.rank, default=head)
    grave = [one for one in found if one.kind in GRAVEST]
    decides = min(grave, key=lambda one: (GRAVEST.index(one.kind), -len(one.phrase))) if grave else head
    phrase = " ".join(word for word in decides.phrase if word not in {BEGINNING, END})
    dated = any(one.kind == "time" for one in found)
    whole = (*context, *own)
    clear = all(_kind(one, whole) in HARMLESS for one in found)
    return Meaning(_kind(decides, whole), phrase, _kind(head, whole), dated, clear)


def _kind(found: _Found, name: tuple[str, ...]) -> str:
    """Returns the kind of a phrase; of the name of a thing, that it is one."""
    table = words()
    if found.kind not in _NAMES or found.phrase[-1] not in table.last or table.persons.intersection(name):
        return found.kind
    before = name[: len(name) - 1 - name[::-1].index(found.phrase[-1])]
    owner = next((word for word in reversed(before) if not word.isdecimal() and word not in table.between), "")
    return "thing" if owner in table.things else found.kind


def _found(name: tuple[str, ...]) -> Iterator[_Found]:
    """Yields the phrases of the table that stand in a name; the end counts from the name's end."""
    phrases = words().phrases
    longest = max(map(len, phrases))
    whole = (BEGINNING, *name, END)
    last = len(name) + 1
    while last > 1 and whole[last - 1].isdecimal():  # `tel 03` ends with tel
        last -= 1
    for start in range(len(whole)):
        for end in range(start + 1, min(len(whole), start + longest) + 1):
            kind = phrases.get(whole[start:end])
            if kind:
                yield _Found(kind, whole[start:end], min(end - last, 0))
