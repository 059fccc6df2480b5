"""Reads column names: takes them apart into words, and brings the spellings of romaji and kana together."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from typing import Final

_WORD: Final = re.compile(r"[A-Z]+(?=[A-Z][a-z])|[A-Z]?[a-z]+|[A-Z]+|[0-9]+")
_LONGEST_RUN: Final = 4
_KATAKANA: Final = {code: code + 0x60 for code in range(0x3041, 0x3097)}
_ROMAJI: Final = tuple(
    (re.compile(pattern), hepburn)
    for pattern, hepburn in (
        ("([sjc])y(?=[auo])", r"\1"), ("zy(?=[auo])", "j"), ("ty(?=[auo])", "ch"), ("s(?=i)", "sh"), ("t(?=i)", "ch"),
        ("z(?=i)", "j"), ("t(?=u)", "ts"), ("(?<![sc])h(?=u)", "f"), ("m(?=[bpm])", "n"), ("o[uoh](?![aiueoy])", "o"),
        ("uu", "u"), ("aa", "a"), ("ee", "e"),
    )
)  # fmt: skip
"""Kunrei, word-processor and Hepburn spellings, and long vowels, become one: zyuusyo, juusho and jūsho are jusho."""

ANYWHERE: Final = 5
"""A word of at least so many letters is found inside others."""


@lru_cache(maxsize=4096)
def romaji(text: str) -> str:
    """Returns a Latin text with its romaji spelled one way; English words become odd, but stay the same everywhere."""
    plain = "".join(sign for sign in unicodedata.normalize("NFKD", text.lower()) if not unicodedata.combining(sign))
    plain = re.sub(r"sy(?=[auo])", "sh", plain)
    for pattern, hepburn in _ROMAJI:
        plain = pattern.sub(hepburn, plain)
    return plain


class ColumnName:
    """A column's name as the words that it is made of."""

    def __init__(self, name: str) -> None:
        folded = unicodedata.normalize("NFKC", name)
        self._japanese = folded.translate(_KATAKANA).upper()
        latin = "".join(sign for sign in unicodedata.normalize("NFKD", folded) if not unicodedata.combining(sign))
        self.words = tuple(word.lower() for word in _WORD.findall(latin))
        runs = {
            "".join(self.words[first:end])
            for first in range(len(self.words))
            for end in range(first + 1, min(len(self.words), first + _LONGEST_RUN) + 1)
        }
        self._runs = runs | {romaji(run) for run in runs}
        self._whole = ("".join(self.words), romaji("".join(self.words)))

    def longest(self, latin: str, japanese: str) -> str:
        """Returns the longest of the words that the name holds, or nothing."""
        found = [word for word in latin.split() if self._holds(word)]
        found += [word for word in japanese.split() if word.upper().translate(_KATAKANA) in self._japanese]
        return max(found, key=weight, default="")

    def ends_with(self, latin: str, japanese: str) -> str:
        """Returns the word of the list with which the name ends, or nothing."""
        last = self.words[-1] if self.words else ""
        return next(
            (word for word in latin.split() if word == last or romaji(word) == romaji(last)),
            next((word for word in japanese.split() if self._japanese.endswith(word.translate(_KATAKANA))), ""),
        )

    def _holds(self, word: str) -> bool:
        spelled = romaji(word)
        if word in self._runs or spelled in self._runs:
            return True
        return len(spelled) >= ANYWHERE and (word in self._whole[0] or spelled in self._whole[1])


def weight(word: str) -> int:
    """Returns how much a word says: a kanji or kana says about as much as three letters."""
    return sum(1 if sign.isascii() else 3 for sign in word)
