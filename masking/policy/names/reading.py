"""Takes column names apart: into the words of the table, whatever script, case, abbreviation or spelling they have."""

from __future__ import annotations

import difflib
import re
import unicodedata
from functools import cache, lru_cache
from typing import Final

from masking.policy.names.table import Words, words

_TOKEN: Final = re.compile(r"[A-Z]+(?=[A-Z][a-z])|[A-Z]?[a-z]+|[A-Z]+|[0-9]+|[^\W_0-9A-Za-z]+|〒")
_KATAKANA: Final = {code: code + 0x60 for code in range(0x3041, 0x3097)}
_ROMAJI: Final = tuple(
    (re.compile(pattern), hepburn)
    for pattern, hepburn in (
        ("sy(?=[auo])", "sh"), ("([sjc])y(?=[auo])", r"\1"), ("zy(?=[auo])", "j"), ("ty(?=[auo])", "ch"),
        ("s(?=i)", "sh"), ("t(?=i)", "ch"), ("z(?=i)", "j"), ("t(?=u)", "ts"), ("(?<![sc])h(?=u)", "f"),
        ("m(?=[bpm])", "n"), ("o[uoh](?![aiueoy])", "o"), ("uu", "u"), ("aa", "a"), ("ee", "e"),
    )
)  # fmt: skip
"""Kunrei, word-processor and Hepburn spellings, and long vowels, become one: zyuusyo, juusho and jūsho are jusho."""
_SHORT: Final = 3
"""A shorter word does not begin a joined name: `customerid`, `nationalidnumber`, but no `notation`."""
_LONG: Final = 5
"""A word of so many letters counts at the border of a joined name whose rest is unknown: `xyzphone`."""
_LONGEST: Final = 64
"""No word is as long, and no name of a column is longer; comments are."""
_VOWEL: Final = re.compile("[aeiou]")
"""A word without one, such as kbn, flg or ymd, is an abbreviation, and counts at the end of any joined name."""
_ENDING: Final = re.compile(
    "e?d|e?r|or|er?s|ings?|able|[a-z]*at(?:ion|ed?|or)|i[sz]ed?|ly|ful|ity|[ae]nce|ions?|ment|al"
)
"""What makes another word of one: a `commenter` is no comment, and `authorized` says nothing of an author."""
_LIKE: Final = 0.85
"""From this likeness on (difflib's ratio), an unknown word is a misspelling of a sensitive one: `expirtion`."""


@lru_cache(maxsize=65_536)
def read(name: str) -> tuple[str, ...]:
    """Returns the words of a name, in its order; what the table does not know stays as it is written."""
    folded = unicodedata.normalize("NFKC", name)
    plain = "".join(one for one in unicodedata.normalize("NFD", folded) if not "\u0300" <= one <= "\u036f")
    composed = unicodedata.normalize("NFC", plain).translate(_KATAKANA)
    return tuple(word for token in _TOKEN.findall(composed) for word in _words(token.lower()))


def romaji(text: str) -> str:
    """Returns a Latin text with its romaji spelled one way; English words become odd, but stay the same everywhere."""
    for pattern, hepburn in _ROMAJI:
        text = pattern.sub(hepburn, text)
    return text


def _words(token: str) -> tuple[str, ...]:
    table = words()
    if token.isdecimal() or (token.isascii() and len(token) > _LONGEST):
        return (token,)
    whole = _known(token, table)
    if whole:
        return (whole,)
    if not token.isascii():
        return _cut(token, table) or (token,)
    joined = _joined(token, table)
    if joined:
        return joined
    like = _swapped(token, table) or next(iter(difflib.get_close_matches(token, table.sensitive, 1, _LIKE)), "")
    misspelled = like and not _ENDING.fullmatch(token.removeprefix(like))
    return (table.spelled(like),) if misspelled else _bordered(token, table)


def _swapped(token: str, table: Words) -> str:
    """Returns the sensitive word of which a token has two neighboring letters the wrong way round, as `brith`; or none.

    Of a word of five letters difflib finds only eight tenths in such a token.
    """
    turned = (token[:at] + token[at + 1] + token[at] + token[at + 2 :] for at in range(len(token) - 1))
    return next((word for word in turned if word in table.sensitive), "")


def _known(word: str, table: Words) -> str:
    """Returns the word of the table that this one is, in singular or plural, in English or romaji; or nothing."""
    for one in (word, word.removesuffix("s"), word.removesuffix("es"), f"{word.removesuffix('ies')}y"):
        if one in table.known and (one == word or len(one) >= _SHORT):
            return table.spelled(one)
    return _in_romaji().get(romaji(word), "") if word.isascii() else ""


@cache
def _in_romaji() -> dict[str, str]:
    table = words()
    return {romaji(word): table.spelled(word) for word in sorted(table.known) if word.isascii()}


def _joined(run: str, table: Words) -> tuple[str, ...]:
    """Returns the fewest known words that make up the whole run; nothing where there are none."""
    best: list[tuple[str, ...] | None] = [(), *[None] * len(run)]
    for end in range(1, len(run) + 1):
        for start in range(end - 2, -1, -1):
            before, piece = best[start], run[start:end]
            if before is None or (len(piece) < _SHORT and not start):
                continue
            word = _known(piece, table) if len(piece) >= _SHORT else table.spelled(piece) * (piece in table.known)
            if word and (best[end] is None or len(before) + 1 < len(best[end] or ())):
                best[end] = (*before, word)
    return best[len(run)] or ()


def _bordered(run: str, table: Words) -> tuple[str, ...]:
    """Returns the run with the longest long word that it begins or ends with apart, or an abbreviation at its end."""
    for length in range(len(run) - 1, _SHORT - 1, -1):
        first, last = run[:length], run[-length:]
        if (length >= _LONG or not _VOWEL.search(last)) and (word := _known(last, table)):
            return (run[:-length], word)
        if length >= _LONG and not _ENDING.fullmatch(run[length:]) and (word := _known(first, table)):
            return (word, run[length:])
    return (run,)


def _cut(run: str, table: Words) -> tuple[str, ...]:
    """Returns a Japanese run cut into the longest known words from its end, what is unknown between them apart."""
    found: list[str] = []
    unknown, end = "", len(run)
    while end:
        start = next((start for start in range(max(0, end - _LONGEST), end) if run[start:end] in table.known), None)
        if start is None:
            unknown, end = run[end - 1] + unknown, end - 1
            continue
        found += [unknown] if unknown else []
        found.append(table.spelled(run[start:end]))
        unknown, end = "", start
    return tuple(reversed([*found, unknown] if unknown else found))
