"""Typed words that may be values are not said back: a message names their place on the command line instead.

Somebody who types a card number where a table's name belongs has it in his shell's history; an error that quotes it
would bring it to logs, tickets and screens as well.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import accumulate
from typing import Final

_NUMBER: Final = re.compile(r"\d(?:[\W_]{0,2}\d){11,}")
"""Twelve digits or more, of any alphabet and however parted; over several words where nobody has quoted them."""
_RUN_ID: Final = re.compile(r"\d{8}-\d{8}T\d{6}Z-[0-9a-f]{6}")
_NAME: Final = re.compile(r"(?!(?:\D*\d){9})[\w./=-]+", re.ASCII)
"""What the leak scan, which takes a moment to load, need not look at: names, paths and days, of at most 8 digits."""
_OPTION: Final = re.compile(r"-*[A-Za-z][A-Za-z_-]*")
_BETWEEN: Final = re.compile(r"[=,:/\\\s]+")
_SHORT: Final = 4


def withheld(text: str, typed: Sequence[str]) -> str:
    """Returns a message in which each quoted word that may be a value has become its place among those typed.

    Such is a word, or are words in a row, with twelve digits or more, with an `@`, or with what the leak scan finds.

    Args:
        text: the message.
        typed: the words of the command line behind the program's name.
    """
    places = {
        piece: f"(word {number}, not shown)"
        for number, word in _telling(typed, text)
        for piece in _pieces(word)
        if piece in text
    }
    if not places:
        return text
    longest_first = sorted(places, key=len, reverse=True)
    return re.sub("|".join(map(_pattern, longest_first)), lambda found: places[found[0]], text)


def _telling(typed: Sequence[str], text: str) -> Iterator[tuple[int, str]]:
    """Yields the words that may be values, by their place, as far as the message quotes them."""
    line = " ".join(typed)
    numbers = [found.span() for found in _NUMBER.finditer(line)]
    ends = accumulate(len(word) + 1 for word in typed)
    for number, (word, end) in enumerate(zip(typed, ends, strict=True), 1):
        if _RUN_ID.fullmatch(word) or not any(piece in text for piece in _pieces(word)):
            continue
        in_number = any(first < end - 1 and last > end - 1 - len(word) for first, last in numbers)
        if in_number or "@" in word or "\uff20" in word or (not _NAME.fullmatch(word) and _leaks(word)):
            yield number, word


def _pieces(word: str) -> set[str]:
    """Returns what a message may quote of a word: all of it, without its dashes, and its parts and numbers."""
    parts = (part for part in _BETWEEN.split(word) if not _OPTION.fullmatch(part))
    found = {word, *parts, *_NUMBER.findall(word)}
    found |= {one.strip("-") for one in found}
    return {form for one in found for form in (one, repr(one)[1:-1])} - {""}


def _pattern(piece: str) -> str:
    """Returns what finds a piece; a short one only where it stands alone."""
    found = re.escape(piece)
    return rf"(?<!\w){found}(?!\w)" if len(piece) < _SHORT else found


def _leaks(word: str) -> bool:
    import pyarrow as pa  # noqa: PLC0415  a refusal need not wait for it where a word is plainly a name

    from masking.leaks import find_spans  # noqa: PLC0415  the same

    return bool(find_spans(pa.array([word.encode("utf-8", "surrogateescape")])))
