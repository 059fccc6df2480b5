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
_MARKS: Final = b"\\%&<"
_BACKSLASH, _PERCENT, _AMPERSAND, _LESS = _MARKS
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
_NUMBER: Final = _flags(b"0123456789" + bytes(range(0x80, 0x100)))


def marks_of(data: Bytes) -> Mask:
    """Flags the bytes with which escapes begin."""
    marks: Mask = data == _BACKSLASH
    for mark in (_PERCENT, _AMPERSAND, _LESS):
        marks |= data == mark
    return marks


def within_escapes(data: Bytes, marks: Mask) -> Mask:
    """Flags the bytes that may belong to an escape."""
    begins = np.flatnonzero(marks)
    lengths = _lengths(np.append(data, np.zeros(2, np.uint8)), begins)
    within = marks.copy()
    for step in range(1, int(lengths.max(initial=0))):
        at = begins[lengths > step] + step
        within[at[at < len(data)]] = True
    return within


def telling(data: Bytes) -> Positions:
    """Returns where escapes begin that may change what is found: all but short ones far from every digit.

    Beside an at sign every escape may be a part of the address, and beside the plus of a form one tells what it means.
    """
    begins = np.flatnonzero(marks_of(data))
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
    mark, second, third = padded[begins], padded[begins + 1], padded[begins + 2]
    hexadecimal = (_HEX[second] != _NOT_HEX) & (_HEX[third] != _NOT_HEX)
    literal = ~hexadecimal & ~_GOES_ON[second] & ~_IS_MARK[third]
    percent = np.select([literal, hexadecimal & ~_OPENS[_spelled(padded, begins)]], [1, 3], LONGEST)
    backslash = np.select([_SHORT[second], ~_GOES_ON[second]], [2, 1], LONGEST)
    less = np.where(_BEGINS_TAG[second], LONGEST, 1)
    lengths = np.select([mark == _PERCENT, mark == _BACKSLASH, mark == _LESS], [percent, backslash, less], LONGEST)
    ampersands = np.flatnonzero((mark == _AMPERSAND) & _IN_NAME[second])
    lengths[ampersands] = _lengths_of_names(padded, begins[ampersands])
    lengths[(mark == _AMPERSAND) & ~_IN_NAME[second] & ~_IS_MARK[second] & (second != ord("#"))] = 1
    return lengths


def _spelled(padded: Bytes, begins: Positions) -> Bytes:
    """Returns the byte that two hexadecimal digits behind each mark spell; anything where they are none."""
    spelled: Bytes = (_HEX[padded[begins + 1]] << 4) | (_HEX[padded[begins + 2]] & 0xF)
    return spelled


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
