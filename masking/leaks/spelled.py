r"""Tells at memory speed which digits of a text are digits once its escapes are read.

The hexadecimal digits of `%E3%82%AB` and `\u30ab` spell a letter. Most texts with escapes have no ten digits besides
these, and need no second reading.
"""

from __future__ import annotations

from functools import cache
from typing import Final

import numpy as np

from masking.leaks.marks import Bytes, Mask, Positions
from masking.leaks.signs import sign_table

_PERCENT, _BACKSLASH, _U = b"%\\u"
_LOWER: Final = np.uint8(0x20)
_ZERO, _A, _D = (np.uint8(sign) for sign in b"0ad")
_TEN, _LETTERS_OF_HEX, _LEADS = 10, 6, 3
_PLANE: Final = 1 << 16
_ASCII_DIGITS: Final = slice(0x30, 0x3A)
_SURROGATES: Final = slice(0xD800, 0xE000)
_NOT_HEX: Final = 1 << 20
_HEX: Final = np.full(256, _NOT_HEX, np.int64)
for _digit in b"0123456789abcdefABCDEF":
    _HEX[_digit] = int(chr(_digit), 16)


def spelled_digits(data: Bytes, marks: tuple[bytes, ...], digits: Mask, offsets: Positions) -> Mask:
    """Flags at least one byte for each digit that reading one escape after the other can leave.

    Args:
        data: bytes in ASCII, uint8 (n).
        marks: those that may begin an escape in them.
        digits: which of them are digits.
        offsets: where rows begin, int64 (rows + 1); no escape goes on into the next row.
    """
    seen = digits
    if b"%" in marks:
        seen = _without_percent(data, seen, offsets)
    if b"\\" in marks:
        seen = _without_unicode(data, seen, offsets)
    return seen


def _without_percent(data: Bytes, digits: Mask, offsets: Positions) -> Mask:
    """Takes out `%E3`, and leaves one flag of `%34` and of what begins a foreign digit in UTF-8."""
    if len(data) <= len("%34"):
        return digits
    lower = data | _LOWER
    hexadecimal = digits | ((lower - _A) < _LETTERS_OF_HEX)
    escape = (data[:-2] == _PERCENT) & hexadecimal[1:-1] & hexadecimal[2:]
    for before in (1, 2):
        ends = offsets[1:-1] - before
        escape[ends[(ends >= 0) & (ends < len(escape))]] = False
    high, low = lower[1:-1], lower[2:]
    # The digits beyond ASCII begin with D9, DB, DF, E0, E1, EA, EF and F0; E2 to E9 are the kana and ideographs.
    leads = ((high - _D) < _LEADS) & ~((high == ord("e")) & (low > ord("1")) & (low != ord("a")) & (low != ord("f")))
    spells = escape & (((data[1:-1] == ord("3")) & digits[2:]) | leads)
    seen = digits.copy()
    seen[1:-1] &= ~escape
    seen[2:] &= ~escape
    seen[2:] |= spells
    return seen


def _without_unicode(data: Bytes, digits: Mask, offsets: Positions) -> Mask:
    r"""Takes out `\u30ab`, and leaves `\u0034` and halves of pairs as they are."""
    begins = np.flatnonzero(data[:-5] == _BACKSLASH)
    begins = begins[data[begins + 1] == _U]
    code = np.zeros(len(begins), np.int64)
    for step in range(2, 6):
        code = code << 4 | _HEX[data[begins + step]]
    ends = offsets[np.searchsorted(offsets, begins, "right")]
    letters = (code < _PLANE) & (begins + 6 <= ends)
    letters[letters] = ~_may_be_digits()[code[letters]]
    begins = begins[letters]
    seen = digits.copy()
    for step in range(2, 6):
        seen[begins + step] = False
    return seen


@cache
def _may_be_digits() -> Mask:
    """Returns by code point of the first plane whether it is a digit of any script, or a half of a farther one."""
    flags: Mask = (sign_table()[:_PLANE] - _ZERO) < _TEN
    flags[_ASCII_DIGITS] = flags[_SURROGATES] = True
    return flags
