"""Reads the table of words: what stands for what, and what a name says that holds them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Final

import yaml

BEGINNING: Final = "^"
END: Final = "$"
HARMLESS: Final = ("code", "short_code", "time", "measure", "thing")
"""Kinds of names whose values say nothing about a person or a card."""
_LONG: Final = 5
_TABLE: Final = files("masking.policy.names").joinpath("words.yaml")


@dataclass(frozen=True)
class Words:
    """The table, ready to be looked up.

    Attributes:
        spellings: a word as it is written → the word that stands for it.
        phrases: words one after the other, `^` and `$` among them → their kind.
        gravity: the kinds in the order of the file.
        known: every word, as it is written.
        sensitive: the longer known words of kinds that are not harmless, which may be misspelled.
        last: words that name what stands before them.
        between: words that may stand between a thing and its name.
        things: words before a name that is no person's.
        persons: words before a name that is a person's after all.
    """

    spellings: dict[str, str]
    phrases: dict[tuple[str, ...], str]
    gravity: tuple[str, ...]
    known: frozenset[str]
    sensitive: tuple[str, ...]
    last: frozenset[str]
    between: frozenset[str]
    things: frozenset[str]
    persons: frozenset[str]

    def spelled(self, word: str) -> str:
        """Returns the word that stands for one as it is written."""
        return self.spellings.get(word, word)


@cache
def words() -> Words:
    """Returns the table of `words.yaml`."""
    raw = yaml.safe_load(_TABLE.read_text(encoding="utf-8"))
    spellings = {one: word for word, others in raw["spellings"].items() for one in others.split()}
    phrases: dict[tuple[str, ...], str] = {}
    sensitive: set[str] = set()
    for kind, lines in raw["kinds"].items():
        for phrase in (one for line in lines for one in line.split(",")):
            parts = tuple(spellings.get(word, word) for word in _parts(phrase))
            phrases.setdefault(parts, kind)
            sensitive.update(() if kind in HARMLESS else parts)
    named = {part: frozenset(line.split()) for part, line in raw["named"].items()}
    plain = {word for line in raw["plain"] for word in line.split()}
    known = {
        *spellings,
        *raw["spellings"],
        *plain,
        *frozenset().union(*named.values()),
        *(word for parts in phrases for word in parts),
    }
    grave = sorted(word for word in known if len(word) >= _LONG and spellings.get(word, word) in sensitive)
    return Words(spellings, phrases, tuple(raw["kinds"]), frozenset(known - {BEGINNING, END}), tuple(grave), **named)


def _parts(phrase: str) -> Iterator[str]:
    """Yields the words of a phrase, its anchors as words of their own."""
    plain = phrase.strip()
    if plain.startswith(BEGINNING):
        yield BEGINNING
    yield from plain.removeprefix(BEGINNING).removesuffix(END).split()
    if plain.endswith(END):
        yield END
