"""Brings every spelling of a text together: one byte a sign, and where each of them came from.

Signs are read by `signs`, and in a second reading what machines write around them first (`escapes`). All that looks
for leaks reads this and nothing else.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import Final

import numpy as np
import pyarrow as pa

from masking.kernels.buffers import ByteStrings
from masking.leaks.escapes import Decoded, unescaped
from masking.leaks.marks import Bytes, Mask, Positions
from masking.leaks.scientific import written_out
from masking.leaks.signs import LETTER, NOTHING, SIGN, signs_of

_CONTINUES: Final = 0x80
_TOP_TWO_BITS: Final = 0xC0
_LOW_SIX_BITS: Final = 0x3F
_OF_HIRAGANA: Final = 3
_NO_LEAD: Final = 0xF5
_ZERO: Final = np.uint8(ord("0"))
_DELETE: Final = 0x7F
_HIRAGANA_NO, _KATAKANA_NO = 0x306E, 0x30CE
_SEQUENCES: Final = ((0xC2, 0xE0, 2, 0x1F), (0xE0, 0xF0, 3, 0x0F), (0xF0, 0xF5, 4, 0x07))
"""First lead byte, the one after the last, length and mask of the lead byte's own bits (RFC 3629, section 3)."""


@dataclass(frozen=True)
class Plain:
    """Strings in their plain spelling, one byte a sign, and where each byte of it came from.

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

    def holds(self, sign: bytes) -> bool:
        """Tells whether any row holds the sign: many times quicker than a comparison of arrays."""
        return sign in self._bytes

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

    def is_whole(self, row: int, start: int, end: int) -> bool:
        """Tells whether the row holds nothing but this span, spaces and quote marks."""
        return not (self.piece(row, 0, start) + self.piece(row, end, len(self.data))).strip(b" \t\r\n\"'")

    def original(self, row: int, start: int, end: int) -> tuple[int, int]:
        """Returns the place of a plain span as bytes of the row's original string, never cutting a sign in two."""
        base = int(self.original_offsets[row])
        if self.origin is None:
            return start - base, end - base
        last, until = int(self.origin[end - 1]), self._bounds[row + 1]
        while end < until and int(self.origin[end]) == last:  # several bytes came of one place, as in 4.1E+15
            end += 1
        stop = int(self.origin[end]) if end < until else int(self.original_offsets[row + 1])
        return int(self.origin[start]) - base, stop - base


def plain(strings: pa.Array, *, decoded: bool = False) -> Plain:
    """Returns the strings in their plain spelling; bytes that begin no sign of UTF-8 are letters.

    Args:
        strings: a string, large_string, binary or large_binary array.
        decoded: read escapes and encodings, too. What looks like one may be none (`%B4` begins track 1), so whoever
            looks for something looks at both readings.
    """
    view = ByteStrings.from_arrow(strings)
    low = int(view.offsets[0])
    data, offsets = view.data[low : int(view.offsets[-1])], view.offsets - low
    text = Decoded(data, offsets, None)
    if decoded:
        text = unescaped(text)
    if len(text.data) and text.data.max() >= _CONTINUES:
        text = _one_byte_a_sign(text)
    text = written_out(_without_controls(_with_spaces(text)))
    origin = None if text.origin is None else np.append(text.origin, len(data))
    return Plain(text.data, text.offsets, origin, offsets)


def _one_byte_a_sign(text: Decoded) -> Decoded:
    """Returns the text with each sign beyond ASCII as one byte, and as nothing where it is invisible."""
    data = text.data
    follows = (data & _TOP_TWO_BITS) == _CONTINUES
    spelled = np.where(follows, np.uint8(NOTHING), data)
    starts = text.offsets[:-1]
    follows[starts[starts < len(data)]] = False  # no sign goes on into the next row
    padded = np.append(follows, np.zeros(3, np.bool_))
    for first, after, length, mask in _SEQUENCES:
        at = np.flatnonzero((data - np.uint8(first)) < after - first)
        if not len(at):
            continue
        codes = (data[at] & mask).astype(np.int64)
        whole = padded[at + 1]
        for step in range(2, length):
            whole &= padded[at + step]
        if not whole.all():
            spelled[at] = LETTER
            at, codes = at[whole], codes[whole]
        for step in range(1, length):
            codes = codes << 6 | (data[at + step] & _LOW_SIX_BITS)
        spelled[at] = signs_of(codes)
        if length == _OF_HIRAGANA:
            _hyphen_between_digits(spelled, at[(codes == _HIRAGANA_NO) | (codes == _KATAKANA_NO)], text.offsets)
    spelled[spelled >= _NO_LEAD] = LETTER
    return Decoded(spelled, text.offsets, text.origin)


def _hyphen_between_digits(spelled: Bytes, at: Positions, offsets: Positions) -> None:
    """Makes a hyphen of the の that stands between two groups of digits, as in 090の1234の5678."""
    rows = np.searchsorted(offsets, at, "right") - 1
    inner = at[(at > offsets[rows]) & (at + 3 < offsets[rows + 1])]
    before, after = spelled[inner - 1] - _ZERO, spelled[inner + 3] - _ZERO
    spelled[inner[(before < 10) & (after < 10)]] = ord("-")  # noqa: PLR2004 - ten digits


def _with_spaces(text: Decoded) -> Decoded:
    """Returns the text with a space for each vertical tab and form feed."""
    feeds = (text.data == ord("\v")) | (text.data == ord("\f"))
    if not feeds.any():
        return text
    return Decoded(np.where(feeds, np.uint8(ord(" ")), text.data), text.offsets, text.origin)


def _without_controls(text: Decoded) -> Decoded:
    """Returns the text without what shows nothing: control characters, but no tab, line break or form feed."""
    data = text.data
    if not len(data) or (data.min() >= ord("\t") and not (data == _DELETE).any() and not _between(data).any()):
        return text
    kept = np.flatnonzero(~((data < ord("\t")) | _between(data) | (data == _DELETE)))
    origin = kept if text.origin is None else text.origin[kept]
    return Decoded(data[kept], np.searchsorted(kept, text.offsets), origin)


def _between(data: Bytes) -> Mask:
    """Flags the control characters after the carriage return and before the sign that stands for many."""
    found: Mask = (data - np.uint8(ord("\r") + 1)) < SIGN - ord("\r") - 1
    return found
