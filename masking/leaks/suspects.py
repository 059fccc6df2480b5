"""Tells at memory speed which strings could hold a leak at all; everything else is looked at no further.

Every kind but e-mail needs ten digits close together, and e-mail needs an at sign. A suspect is a superset: the exact
rules (`windows`, `cards`, `phones`) decide about suspects only, after reading them as `spelling` does.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from masking.leaks.marks import (
    MARKS,
    NEAR,
    Bytes,
    Mask,
    Positions,
    hiding_at_sign,
    holds_escapes,
    marks_of,
    within_escapes,
)
from masking.leaks.spelled import spelled_digits

CHUNK_BYTES = 1 << 18
"""Bytes whose suspects are handed on together."""

_PIECE_BYTES = 120_000
"""Bytes looked at in one go: small enough for the processor's cache and for memory that is used again."""

FEWEST_DIGITS = 10
"""A landline number without its country code; every other number has more digits."""

WIDEST_GAP = NEAR
"""Signs between two groups that still read as one number, as in `"4111", "1111"`."""

_ZERO = np.uint8(ord("0"))
_A, _LETTERS, _LOWER = np.uint8(ord("a")), 26, np.uint8(0x20)
_AT = 0x40
_FULL_WIDTH = (0xEF, 0xBC)
_WIDE_AT_SIGNS = ((b"\xef\xbc\xa0"), (b"\xef\xb9\xab"))
_COUNTS_IN_A_BYTE = 255
_LESS = ord("<")
_TAG, _AT_SIGN = b"<", b"@"

_OTHER_LEADS = (b"\xd9", b"\xdb", b"\xdf", b"\xe0", b"\xe1", b"\xea", b"\xf0")
"""First bytes of all decimal digits beyond ASCII and full width, and of much else."""


def suspects(data: Bytes, offsets: Positions) -> Iterator[Positions]:
    """Yields, chunk by chunk and in order, the rows that could hold a leak."""
    waiting: list[Positions] = []
    since = int(offsets[0])
    for first, until in _pieces(offsets):
        low, high = int(offsets[first]), int(offsets[until])
        if high > low:
            rows = _suspects_of(data[low:high], offsets[first : until + 1] - low)
            if len(rows):
                waiting.append(rows + first)
        if high - since >= CHUNK_BYTES and waiting:
            yield np.concatenate(waiting)
            waiting, since = [], high
    if waiting:
        yield np.concatenate(waiting)


def _pieces(offsets: Positions) -> Iterator[tuple[int, int]]:
    """Yields the first row of each piece and the one after its last; a longer row is a piece of its own."""
    last, first = len(offsets) - 1, 0
    while first < last:
        until = int(np.searchsorted(offsets, offsets[first] + _PIECE_BYTES, "right")) - 1
        until = min(max(until, first + 1), last)
        yield first, until
        first = until


def _suspects_of(data: Bytes, offsets: Positions) -> Positions:
    raw = data.tobytes()  # a search for one byte in bytes is several times quicker than a comparison of arrays
    digits = (data - _ZERO) < FEWEST_DIGITS
    marked = any(mark in raw for mark in MARKS)
    if raw.isascii():
        rows = _rows_with_runs(data, digits, None, offsets)
        if holds_escapes(raw):
            rows = np.union1d(rows, _rows_behind_escapes(data, raw, digits, offsets))
    else:
        rows = _rows_with_digits(data, raw, digits, offsets)
    at_signs = _at_signs(data, raw, marked=marked)
    return np.union1d(rows, rows_of(at_signs, offsets)) if len(at_signs) else rows


def _rows_behind_escapes(data: Bytes, raw: bytes, digits: Mask, offsets: Positions) -> Positions:
    """Returns the rows that have ten digits close together once their escapes are read."""
    spelled = spelled_digits(data, raw, digits, offsets)
    marks = marks_of(data, raw)
    rows = _rows_of_many(spelled, rows_of(np.flatnonzero(marks), offsets), offsets)
    if not len(rows):
        return rows
    found = _rows_with_runs(data, digits, within_escapes(data, marks), offsets)
    if _TAG in raw:  # what stands before and after a tag within a line belongs together
        found = np.union1d(found, rows_of(np.flatnonzero(data == _LESS), offsets))
    return np.intersect1d(found, rows, assume_unique=True)


def _at_signs(data: Bytes, raw: bytes, *, marked: bool) -> Positions:
    """Returns, in order, where at signs stand, those of other widths, and escapes that may be one."""
    found = [np.flatnonzero(data == _AT)] if _AT_SIGN in raw else []
    if marked:
        found += [hidden] if len(hidden := hiding_at_sign(data, raw)) else []
    if any(sign in raw for sign in _WIDE_AT_SIGNS):
        found.append(np.flatnonzero(_wide_at_signs(data)))
    return np.sort(np.concatenate(found)) if found else np.empty(0, np.int64)


def rows_of(positions: Positions, offsets: Positions) -> Positions:
    """Returns the rows, each once, in which ascending positions lie."""
    rows: Positions = np.searchsorted(offsets, positions, "right") - 1
    return rows[np.insert(rows[1:] != rows[:-1], 0, values=True)] if len(rows) else rows


def _rows_of_many(digits: Mask, rows: Positions, offsets: Positions) -> Positions:
    """Returns those of the rows, none of them empty, that have ten digits in all."""
    return rows[_counts(digits, rows, offsets) >= FEWEST_DIGITS] if len(rows) else rows


def _rows_with_runs(data: Bytes, digits: Mask, escapes: Mask | None, offsets: Positions) -> Positions:
    """Returns the rows of ASCII text with ten bytes in a row that are no letters but in escapes, and ten digits."""
    if len(data) < FEWEST_DIGITS:
        return np.empty(0, np.int64)
    fits = ((data | _LOWER) - _A) >= _LETTERS  # smaller bytes wrap around to large ones
    seen = digits
    if escapes is not None:
        fits |= escapes
        seen = digits | escapes
    goes_on = fits.copy()
    starts = offsets[:-1]
    goes_on[starts[starts < len(data)]] = False  # a run never goes on into the next row
    two = goes_on[:-1] & goes_on[1:]
    four = two[:-2] & two[2:]
    eight = four[:-4] & four[4:]
    runs = fits[:-9] & eight[1:-1] & goes_on[9:]
    if not runs.any():
        return np.empty(0, np.int64)
    runs &= digits[:-9] & _soon(seen)[9:]
    if not runs.any():
        return np.empty(0, np.int64)
    runs[1:] &= ~runs[:-1]  # where a run begins is enough
    # Signs made up a part of the run: most dates, times and amounts have fewer than ten digits.
    return _rows_of_many(digits, rows_of(np.flatnonzero(runs), offsets), offsets)


def _soon(digits: Mask) -> Mask:
    """Flags the bytes that are a digit or have one among the next six, the widest gap within a number."""
    soon = digits.copy()
    for step in (1, 2, 3):  # each step sees as much farther as all before it and its own
        soon[:-step] |= soon[step:].copy()
    return soon


def _rows_with_digits(data: Bytes, raw: bytes, digits: Mask, offsets: Positions) -> Positions:
    """Returns the rows with ten digits of any script anywhere in them."""
    counted = digits
    if b"\xef\xbc" in raw:
        counted = counted | _full_width(data, 0x90, 10)
    for lead in _OTHER_LEADS:
        if lead in raw:
            counted = counted | (data == lead[0])
    if np.count_nonzero(counted) < FEWEST_DIGITS:
        return np.empty(0, np.int64)
    return _rows_of_many(counted, np.flatnonzero(np.diff(offsets)), offsets)


def _counts(flags: Mask, rows: Positions, offsets: Positions) -> npt.NDArray[np.uint8 | np.uint32]:
    """Counts the flags in each of the given rows, none of which is empty."""
    counter = np.uint8 if np.diff(offsets).max() <= _COUNTS_IN_A_BYTE else np.uint32
    starts, ends = offsets[rows], offsets[rows + 1]
    counted = flags[: ends[-1]].view(np.uint8)
    if (starts[1:] == ends[:-1]).all():
        return np.add.reduceat(counted, starts, dtype=counter)
    # Every second sum is of what lies between two rows.
    edges = np.column_stack((starts, ends)).reshape(-1)[:-1]
    return np.add.reduceat(counted, edges, dtype=counter)[::2]


def _wide_at_signs(data: Bytes) -> Mask:
    """Flags the at signs beyond ASCII: U+FF20 and U+FE6B."""
    found = _full_width(data, 0xA0, 1)
    found[2:] |= (data[:-2] == _FULL_WIDTH[0]) & (data[1:-1] == 0xB9) & (data[2:] == 0xAB)  # noqa: PLR2004 - EF B9 AB
    return found


def _full_width(data: Bytes, first: int, how_many: int) -> Mask:
    """Flags the third byte of the full-width signs that begin at EF BC `first`."""
    found = np.zeros(len(data), np.bool_)
    leads = data[:-2] == _FULL_WIDTH[0]
    if leads.any():
        found[2:] = leads & (data[1:-1] == _FULL_WIDTH[1]) & ((data[2:] - np.uint8(first)) < how_many)
    return found
