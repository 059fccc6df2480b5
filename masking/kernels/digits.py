"""Digits of written numbers over columns: full-width digits and separators are understood, the rest is flagged."""

from __future__ import annotations

import numpy as np

from masking.kernels.buffers import Bytes, ByteStrings, Flags, Rows

SEPARATORS = " -./()\u00a0\u2010\u2011\u2012\u2013\u2014\u2015\u2212\u3000\u30fc\uff0d\uff0e"
"""What people write between digits: spaces, hyphens, dashes and dots, full-width ones too, and ー used as a hyphen."""

_ZERO, _NINE = ord("0"), ord("9")
_FIRST_LEAD_BYTE = 0xC0
_FULL_WIDTH = tuple(chr(0xFF10 + digit).encode() for digit in range(10))
_WIDE_SEPARATORS = tuple(mark.encode() for mark in SEPARATORS if not mark.isascii())
_NARROW_SEPARATORS = np.isin(np.arange(256), list(SEPARATORS.encode("ascii", "ignore")))


def digits_of(strings: ByteStrings) -> tuple[ByteStrings, Flags]:
    """Keeps only the digits of each row, as ASCII, and says which rows hold anything but digits and SEPARATORS.

    Returns:
        The digits, row for row (nulls stay null); and bool (n), True where a row that is not null holds something else.
    """
    first, last = int(strings.offsets[0]), int(strings.offsets[-1])
    data, offsets = strings.data[first:last], strings.offsets - first
    kept = (data >= _ZERO) & (data <= _NINE)
    flagged = np.zeros(len(strings), np.bool_)
    if kept.all():
        return strings, flagged
    understood = kept | _NARROW_SEPARATORS[data]
    if not understood.all():
        data = data.copy()
        _understand_wide(data, offsets, kept, understood)
        strange = np.flatnonzero(~understood)
        flagged[np.searchsorted(offsets, strange, side="right") - 1] = True
        if strings.valid is not None:
            flagged &= strings.valid
    removed = np.flatnonzero(~kept)
    return ByteStrings(data[kept], offsets - np.searchsorted(removed, offsets), strings.valid), flagged


def _understand_wide(data: Bytes, offsets: Rows, kept: Flags, understood: Flags) -> None:
    """Finds full-width digits and separators of several bytes, and turns the last byte of such a digit into ASCII."""
    starts = np.flatnonzero(data >= _FIRST_LEAD_BYTE)
    room = offsets[np.searchsorted(offsets, starts, side="right")] - starts
    for width in (2, 3):
        inside = starts[room >= width]
        places = inside[:, None] + np.arange(width)
        codes = data[places] @ (256 ** np.arange(width - 1, -1, -1))
        digit = np.isin(codes, _codes(_FULL_WIDTH, width))
        understood[places[digit | np.isin(codes, _codes(_WIDE_SEPARATORS, width))]] = True
        ends = places[digit, -1]
        kept[ends] = True
        data[ends] = _ZERO + codes[digit] - _codes(_FULL_WIDTH[:1], width).sum()


def _codes(characters: tuple[bytes, ...], width: int) -> Rows:
    return np.array([int.from_bytes(each, "big") for each in characters if len(each) == width], np.int64)
