"""Tells at memory speed which strings could hold a leak at all; everything else is looked at no further.

Every kind but e-mail needs ten digits close together, and e-mail needs an at sign. A suspect is a superset: the exact
rules (`windows`, `cards`, `people`) decide about suspects only.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

Bytes = npt.NDArray[np.uint8]
Positions = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]

CHUNK_BYTES = 1 << 18
"""Bytes looked at in one go: small enough to stay in the processor's cache, so that the passes cost little."""

FEWEST_DIGITS = 10
"""A landline number without its country code; every other number has more digits."""

WIDEST_GAP = 3
"""Separators between two groups that still read as one number, as in `4111 - 1111`."""

_ASCII_END = 0x80
_ZERO = np.uint8(ord("0"))
_AFTER_NINE = 0x3A
_UNDERSCORE, _AT = 0x5F, 0x40
_FULL_WIDTH = (0xEF, 0xBC)
_COUNTS_IN_A_BYTE = 255


def suspects(data: Bytes, offsets: Positions) -> Iterator[Positions]:
    """Yields, chunk by chunk and in order, the rows that could hold a leak."""
    last = len(offsets) - 1
    first = 0
    while first < last:
        until = int(np.searchsorted(offsets, offsets[first] + CHUNK_BYTES, "right")) - 1
        until = min(max(until, first + 1), last)
        low, high = int(offsets[first]), int(offsets[until])
        if high > low:
            rows = _suspects_of(data[low:high], offsets[first : until + 1] - low)
            if len(rows):
                yield rows + first
        first = until


def _suspects_of(data: Bytes, offsets: Positions) -> Positions:
    if data.max() < _ASCII_END:
        at_signs = data == _AT
        rows = _rows_with_runs(data, offsets)
    else:
        at_signs = (data == _AT) | _full_width(data, 0xA0, 1)
        rows = _rows_with_digits(data, offsets)
    if at_signs.any():
        rows = np.union1d(rows, _rows_of(np.flatnonzero(at_signs), offsets))
    return rows


def _rows_of(positions: Positions, offsets: Positions) -> Positions:
    rows: Positions = np.searchsorted(offsets, positions, "right") - 1
    return rows[np.insert(rows[1:] != rows[:-1], 0, values=True)] if len(rows) else rows


def _rows_with_runs(data: Bytes, offsets: Positions) -> Positions:
    """Returns the rows of ASCII text with ten bytes in a row that are digits or what may stand between digits."""
    if len(data) < FEWEST_DIGITS:
        return np.empty(0, np.int64)
    fits = data < _AFTER_NINE  # digits, and every sign that ASCII sorts before them: one comparison instead of twenty
    fits |= data == _UNDERSCORE
    goes_on = fits.copy()
    starts = offsets[:-1]
    goes_on[starts[starts < len(data)]] = False  # a run never goes on into the next row
    two = goes_on[:-1] & goes_on[1:]
    four = two[:-2] & two[2:]
    eight = four[:-4] & four[4:]
    runs = fits[:-9] & eight[1:-1] & goes_on[9:]
    if not runs.any():
        return np.empty(0, np.int64)
    digits = (data - _ZERO) < FEWEST_DIGITS
    runs &= digits[:-9] & _soon(digits)[9:]
    runs[1:] &= ~runs[:-1]  # where a run begins is enough
    rows = _rows_of(np.flatnonzero(runs), offsets)
    # Signs made up a part of the run: most dates, times and amounts have fewer than ten digits.
    return rows[_counts(digits, rows, offsets) >= FEWEST_DIGITS] if len(rows) else rows


def _soon(digits: Mask) -> Mask:
    """Flags the bytes that are a digit or have one among the next three, the widest gap within a number."""
    soon = digits.copy()
    for step in range(1, WIDEST_GAP + 1):
        soon[:-step] |= digits[step:]
    return soon


def _rows_with_digits(data: Bytes, offsets: Positions) -> Positions:
    """Returns the rows with ten digits, ASCII or full-width, anywhere in them."""
    digits = (data - _ZERO) < FEWEST_DIGITS
    digits |= _full_width(data, 0x90, 10)
    filled = np.flatnonzero(np.diff(offsets))
    return filled[_counts(digits, filled, offsets) >= FEWEST_DIGITS]


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


def _full_width(data: Bytes, first: int, how_many: int) -> Mask:
    """Flags the third byte of the full-width signs that begin at EF BC `first`."""
    found = np.zeros(len(data), np.bool_)
    leads = data[:-2] == _FULL_WIDTH[0]
    if leads.any():
        found[2:] = leads & (data[1:-1] == _FULL_WIDTH[1]) & ((data[2:] - np.uint8(first)) < how_many)
    return found
