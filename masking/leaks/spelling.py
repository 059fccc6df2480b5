"""Brings the spellings of a sign together: full-width ０ to 9, letters and signs, and the many spaces and hyphens."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import pyarrow as pa

from masking.kernels.buffers import ByteStrings
from masking.leaks.suspects import Bytes, Positions

_SPACES = "\u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u200b\u200c\u200d\u202f\u205f"
_SPACES += "\u2060\u3000\ufeff\u2028\u2029"
_HYPHENS = "\u00ad\u2010\u2011\u2012\u2013\u2014\u2015\u2043\u2212\u2500\u2501\u30fc\ufe58\ufe63\uff70"
_DOTS = "\u00b7\u2022\u2024\u2027\u2219\u22c5\u30fb\uff65"
_FULL_WIDTH = {chr(code): chr(code - 0xFEE0) for code in range(0xFF01, 0xFF5F)}

_PLAIN = dict.fromkeys(_SPACES, " ") | dict.fromkeys(_HYPHENS, "-") | dict.fromkeys(_DOTS, ".") | _FULL_WIDTH
"""Sign to the ASCII sign that stands for it."""

_CONTINUES = 0x80
_MOST_FOLLOWING = 3
_TOP_TWO_BITS = 0xC0
_LOW_SIX_BITS = 0x3F


def _tables() -> dict[int, tuple[int, Bytes]]:
    """Gives, for each first byte, the length of its sequences and what each of them becomes (0: stays as it is)."""
    tables: dict[int, tuple[int, Bytes]] = {}
    for sign, plain in _PLAIN.items():
        lead, *rest = sign.encode()
        length, table = tables.setdefault(lead, (1 + len(rest), np.zeros(64 ** len(rest), np.uint8)))
        place = 0
        for byte in rest:
            place = place * 64 + (byte & _LOW_SIX_BITS)
        table[place] = ord(plain)
        tables[lead] = (length, table)
    return tables


_TABLES = _tables()


@dataclass(frozen=True)
class Plain:
    """Strings in their plain spelling, and where each byte of it came from.

    `origin` holds, for each plain byte and for the end, its position in the original bytes; None: nothing moved.
    """

    data: Bytes = field(repr=False)
    offsets: Positions = field(repr=False)
    origin: Positions | None = field(repr=False)
    original_offsets: Positions = field(repr=False)

    def piece(self, row: int, start: int, end: int) -> bytes:
        """Returns the plain bytes from `start` to `end`, as far as they belong to the row."""
        low, high = self._bounds[row], self._bounds[row + 1]
        return self._bytes[start if start > low else low : end if end < high else high]  # noqa: FURB136  called often

    @cached_property
    def _bytes(self) -> bytes:
        """Holds the data for `piece`: slices of it are many times cheaper than slices of an array."""
        return self.data.tobytes()

    @cached_property
    def _bounds(self) -> list[int]:
        bounds: list[int] = self.offsets.tolist()
        return bounds

    def start_of(self, row: int) -> int:
        """Returns where the row begins in the plain bytes."""
        return self._bounds[row]

    def whole(self, row: int, start: int, end: int) -> tuple[int, int, int]:
        """Returns the row and the span widened to whole signs: what a span cuts in two is no UTF-8 any more."""
        low, high = max(self._bounds[row], start - _MOST_FOLLOWING), min(self._bounds[row + 1], end + _MOST_FOLLOWING)
        while start > low and self._bytes[start] & _TOP_TWO_BITS == _CONTINUES:
            start -= 1
        while end < high and self._bytes[end] & _TOP_TWO_BITS == _CONTINUES:
            end += 1
        return row, start, end

    def original(self, row: int, start: int, end: int) -> tuple[int, int]:
        """Returns the place of a plain span as bytes of the row's original string."""
        base = int(self.original_offsets[row])
        if self.origin is None:
            return start - base, end - base
        return int(self.origin[start]) - base, int(self.origin[end]) - base


def plain(strings: pa.Array) -> Plain:
    """Returns the strings in their plain spelling; other signs, and bytes that are no UTF-8, stay as they are."""
    view = ByteStrings.from_arrow(strings)
    data, offsets = view.data, view.offsets
    low = int(offsets[0])
    data, offsets = data[low : int(offsets[-1])], offsets - low
    if not len(data) or data.max() < _CONTINUES:
        return Plain(data, offsets, None, offsets)
    padded = np.append(data, np.zeros(2, np.uint8))
    spelled = data.copy()
    stays = np.ones(len(data), np.bool_)
    for lead, (length, table) in _TABLES.items():
        at = np.flatnonzero(data == lead)
        if not len(at):
            continue
        place = np.zeros(len(at), np.int64)
        whole = np.ones(len(at), np.bool_)
        for step in range(1, length):
            byte = padded[at + step]
            whole &= (byte & _TOP_TWO_BITS) == _CONTINUES
            place = place * 64 + (byte & _LOW_SIX_BITS)
        became = table[place]
        known = whole & (became > 0)
        at = at[known]
        spelled[at] = became[known]
        for step in range(1, length):
            stays[at + step] = False
    origin = np.append(np.flatnonzero(stays), len(data))
    return Plain(spelled[stays], np.searchsorted(origin, offsets), origin, offsets)
