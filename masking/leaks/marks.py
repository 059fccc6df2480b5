"""Tells at memory speed what stands behind a byte with which an escape may begin: one, how long, or none at all.

Most marks are harmless: the `&` of a query string, the `%20` of an address, the line break of a log. What could begin
another escape when it is read counts as ten bytes, so that nothing nested is missed.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

Bytes = npt.NDArray[np.uint8]
Positions = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]

LONGEST: Final = 10
"""Bytes of an escape such as `\\U0001d7d2`, or of one that was escaped once more."""

NEAR: Final = 6
"""Signs between two groups that still read as one number."""

_LONGEST_NAME: Final = 32
MARKS: Final = (b"\\", b"%", b"&", b"<")
"""What escapes begin with."""

_BACKSLASH, _PERCENT, _AMPERSAND, _LESS = (mark[0] for mark in MARKS)
_MARKS: Final = b"".join(MARKS)
_NOT_HEX: Final = 255


def _flags(bytes_: bytes) -> Mask:
    found = np.zeros(256, np.bool_)
    found[list(bytes_)] = True
    return found


_IS_MARK: Final = _flags(_MARKS)
_LETTERS: Final = b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
_IN_NAME: Final = _flags(_LETTERS + b"0123456789")
_BEGINS_TAG: Final = _flags(_LETTERS + b"/" + _MARKS)
_GOES_ON: Final = _flags(b"uUx" + _MARKS)
_SHORT: Final = _flags(b"nrtvfb")
_HEX: Final = np.full(256, _NOT_HEX, np.uint8)
for _digit in b"0123456789abcdefABCDEF":
    _HEX[_digit] = int(chr(_digit), 16)
_OPENS: Final = _flags(_MARKS + b"#;uUx{}@")
"""What `%5C` and the like spell that may be a part of another escape, or an at sign."""
_SPEAKS: Final = _flags(b"0123456789+" + bytes(range(0x80, 0x100)))
"""What `%34` and the like spell that is a part of a number wherever it stands."""
_AT_BY_UNIT: Final = (*b"@%&\\<", 0xFF20, 0xFE6B)
_AFTER_AMP: Final = _flags(b"#acpbA" + _MARKS)
"""What goes on after `&amp;` to another escape."""


def _pairs(spelled: bytes) -> Mask:
    found = np.zeros((256, 256), np.bool_)
    for first, second in spelled.split():
        found[first, second] = True
    return found


_AT_BY_PERCENT: Final = _pairs(b"40 EF Ef eF ef 25 26 3C 3c 5C 5c u0 uF uf")
_AT_BY_BACKSLASH: Final = _pairs(b"U0 x4 x2 x5 x3 xE xe x{ u{")
_AT_BY_AMPERSAND: Final = _pairs(b"#x #X #0 #1 #2 #3 #4 #5 #6 #7 #8 #9 co pe bs")
"""By the two bytes after a mark: an escape of an at sign, or one that may become the beginning of another."""
_NUMBER: Final = _flags(b"0123456789" + bytes(range(0x80, 0x100)))


def escaping(raw: bytes) -> tuple[bytes, ...]:
    """Returns the marks in a text that may begin an escape; the `&` of query strings, `&page=2`, begins none."""
    found = tuple(mark for mark in MARKS if mark in raw)
    if found == (b"&",) and b";" not in raw and b"#" not in raw:  # every entity has one or the other
        return ()
    return found


def marks_of(data: Bytes, marks: tuple[bytes, ...]) -> Mask:
    """Flags the bytes that are one of the marks."""
    found: Mask = np.zeros(len(data), np.bool_)
    for mark in marks:
        found |= data == mark[0]
    return found


def within_escapes(data: Bytes, marks: Mask) -> Mask:
    """Flags the bytes that may belong to an escape."""
    begins = np.flatnonzero(marks)
    lengths = _lengths(np.append(data, np.zeros(LONGEST, np.uint8)), begins)
    within = marks.copy()
    for step in range(1, int(lengths.max(initial=0))):
        at = begins[lengths > step] + step
        within[at[at < len(data)]] = True
    return within


def hiding_at_sign(data: Bytes, marks: tuple[bytes, ...]) -> Positions:
    """Returns where escapes begin that may be an at sign, or the beginning of one when they are read."""
    padded = np.append(data, np.zeros(LONGEST, np.uint8))
    found = [
        begins[hides(padded, begins)]
        for mark, hides in ((b"%", _percent_hides), (b"\\", _backslash_hides), (b"&", _ampersand_hides))
        if mark in marks
        for begins in [np.flatnonzero(data == mark[0])]
    ]
    return np.sort(np.concatenate(found)) if found else np.empty(0, np.int64)


def _percent_hides(padded: Bytes, begins: Positions) -> Mask:
    """Flags `%40`, full-width signs, and what spells a mark or has one within it."""
    second, third = padded[begins + 1], padded[begins + 2]
    found: Mask = _AT_BY_PERCENT[second, third] | _IS_MARK[second] | _IS_MARK[third]
    return found


def _backslash_hides(padded: Bytes, begins: Positions) -> Mask:
    r"""Flags `\u0040`, `\x40`, full-width signs, and what spells a mark or has one within it."""
    second, third = padded[begins + 1], padded[begins + 2]
    found: Mask = _AT_BY_BACKSLASH[second, third] | (_IS_MARK[second] & (second != _BACKSLASH))
    found |= (second == ord("x")) & _IS_MARK[third]
    units = np.flatnonzero(second == ord("u"))
    code = np.zeros(len(units), np.int64)
    marked = np.zeros(len(units), np.bool_)
    for step in range(2, 6):
        sign = padded[begins[units] + step]
        code = code << 4 | (_HEX[sign] & 0xF)
        marked |= _IS_MARK[sign]
    found[units] |= np.isin(code, _AT_BY_UNIT) | marked
    return found


def _ampersand_hides(padded: Bytes, begins: Positions) -> Mask:
    """Flags `&#64;`, `&commat;`, and `&amp;` and the like where they may be the beginning of one."""
    second, third = padded[begins + 1], padded[begins + 2]
    found: Mask = _AT_BY_AMPERSAND[second, third] | _IS_MARK[second]
    again = np.flatnonzero(((second | 0x20) == ord("a")) & ((third | 0x20) == ord("m")))
    found[again] = _AFTER_AMP[padded[begins[again] + len("&amp;")]]
    return found


def telling(data: Bytes) -> Positions:
    """Returns where escapes begin that may change what is found: all but short ones far from every digit.

    Beside an at sign every escape may be a part of the address, and beside the plus of a form one tells what it means.
    """
    marks = escaping(data.tobytes())
    if not marks:
        return np.empty(0, np.int64)
    begins = np.flatnonzero(marks_of(data, marks))
    padded = np.concatenate((np.zeros(NEAR, np.uint8), data, np.zeros(LONGEST + NEAR, np.uint8)))
    lengths = _lengths(padded[NEAR:], begins)
    begins, lengths = begins[lengths > 1], lengths[lengths > 1]
    pluses = np.flatnonzero(data == ord("+"))
    if (data == ord("@")).any() or _NUMBER[data[pluses - 1]].any():
        return begins
    tells = lengths > 3  # noqa: PLR2004 - `%20` and `\n` are short
    spelled = _spelled(padded[NEAR:], begins)
    tells |= (data[begins] == _PERCENT) & _SPEAKS[spelled]
    for step in range(NEAR):
        tells |= _NUMBER[padded[begins + step]] | _NUMBER[padded[begins + NEAR + lengths + step]]
    return begins[tells]


def _lengths(padded: Bytes, begins: Positions) -> Positions:
    """Returns how many bytes each mark and its escape have, at most; 1 where it begins none."""
    lengths = np.ones(len(begins), np.int64)
    mark = padded[begins]
    for sign, measure in _MEASURED:
        chosen = np.flatnonzero(mark == sign)
        if len(chosen):
            lengths[chosen] = measure(padded, begins[chosen])
    return lengths


def _length_of_percent(padded: Bytes, begins: Positions) -> Positions:
    second, third = padded[begins + 1], padded[begins + 2]
    hexadecimal = (_HEX[second] != _NOT_HEX) & (_HEX[third] != _NOT_HEX)
    literal = ~hexadecimal & ~_GOES_ON[second] & ~_IS_MARK[third]
    lengths = np.full(len(begins), LONGEST)
    lengths[hexadecimal & ~_OPENS[_spelled(padded, begins)]] = len("%34")
    lengths[literal] = 1
    return lengths


def _length_of_backslash(padded: Bytes, begins: Positions) -> Positions:
    second = padded[begins + 1]
    lengths = np.where(_GOES_ON[second], LONGEST, 1)
    lengths[_SHORT[second]] = 2
    return lengths


def _length_of_less(padded: Bytes, begins: Positions) -> Positions:
    return np.where(_BEGINS_TAG[padded[begins + 1]], LONGEST, 1)


def _length_of_ampersand(padded: Bytes, begins: Positions) -> Positions:
    second = padded[begins + 1]
    lengths = np.where(_IS_MARK[second] | (second == ord("#")), LONGEST, 1)
    names = np.flatnonzero(_IN_NAME[second])
    lengths[names] = _lengths_of_names(padded, begins[names])
    return lengths


def _spelled(padded: Bytes, begins: Positions) -> Bytes:
    """Returns the byte that two hexadecimal digits behind each mark spell; anything where they are none."""
    spelled = (_HEX[padded[begins + 1]] << 4) | (_HEX[padded[begins + 2]] & 0xF)
    return spelled.astype(np.uint8, copy=False)


def _lengths_of_names(padded: Bytes, begins: Positions) -> Positions:
    """Returns how long each `&name;` is; 1 where the name ends without a semicolon, or a mark that may hide one."""
    lengths = np.ones(len(begins), np.int64)
    left = np.arange(len(begins))
    for step in range(1, _LONGEST_NAME + 2):
        left = left[begins[left] + step < len(padded)]
        sign = padded[begins[left] + step]
        ends = (sign == ord(";")) | _IS_MARK[sign]
        lengths[left[ends]] = max(step + 1, LONGEST)
        left = left[_IN_NAME[sign]]
        if not len(left):
            break
    return lengths


_MEASURED: Final = (
    (_PERCENT, _length_of_percent),
    (_BACKSLASH, _length_of_backslash),
    (_AMPERSAND, _length_of_ampersand),
    (_LESS, _length_of_less),
)
"""By the byte that an escape begins with: how long it is."""
