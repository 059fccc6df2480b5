"""Finds the rows that have ten digits close together, by comparing whole pieces of a column at once."""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

from masking.leaks.marks import NEAR, Bytes, Mask, Positions

FEWEST_DIGITS: Final = 10
"""A landline number without its country code; every other number has more digits."""

WIDEST_GAP: Final = NEAR
"""Signs between two groups that still read as one number, as in `"4111", "1111"`."""

_ZERO = np.uint8(ord("0"))
_A, _LETTERS, _LOWER = np.uint8(ord("a")), np.uint8(26), np.uint8(0x20)
_DELETE, _AFTER_RETURN = 0x7F, np.uint8(ord("\r") + 1)
_OTHER_CONTROLS = ord(" ") - _AFTER_RETURN
_COUNTS_IN_A_BYTE = 255
_NONE = np.empty(0, np.int64)


def rows_of(positions: Positions, offsets: Positions) -> Positions:
    """Returns the rows, each once, in which ascending positions lie."""
    rows: Positions = np.searchsorted(offsets, positions, "right") - 1
    return rows[np.insert(rows[1:] != rows[:-1], 0, values=True)] if len(rows) else rows


def digits_of(data: Bytes) -> Mask:
    """Flags the digits of ASCII."""
    found: Mask = (data - _ZERO) < FEWEST_DIGITS  # smaller bytes wrap around to large ones
    return found


def rows_with_many(digits: Mask, offsets: Positions) -> Positions:
    """Returns the rows that have ten digits in all."""
    return many_of(digits, np.flatnonzero(np.diff(offsets)), offsets) if digits.any() else _NONE


def many_of(digits: Mask, rows: Positions, offsets: Positions) -> Positions:
    """Returns those of the rows, none of them empty, that have ten digits in all."""
    return rows[_counts(digits, rows, offsets) >= FEWEST_DIGITS] if len(rows) else rows


def rows_with_runs(data: Bytes, offsets: Positions, escapes: Mask | None = None) -> Positions:
    """Returns the rows of ASCII text with ten bytes in a row that are no letters but in escapes, and ten digits."""
    if len(data) < FEWEST_DIGITS:
        return _NONE
    fits = ((data | _LOWER) - _A) >= _LETTERS
    if escapes is not None:
        fits |= escapes
    two = fits[:-1] & fits[1:]
    four = two[:-2] & two[2:]
    eight = four[:-4] & four[4:]
    runs = eight[:-2] & two[8:]
    if not runs.any() or np.diff(offsets).max() < FEWEST_DIGITS:
        return _NONE
    digits = digits_of(data)
    if _holds_controls(data):  # they are read as nothing, however many stand between two digits
        return rows_with_many(digits, offsets)
    runs &= digits[:-9]
    runs &= _soon(digits if escapes is None else digits | escapes)[9:]
    if not runs.any():
        return _NONE
    runs &= _within_rows(len(data), offsets)
    # Signs made up a part of the run: most dates, times and amounts have fewer than ten digits.
    return many_of(digits, _rows_with_any(runs, offsets), offsets)


def _rows_with_any(runs: Mask, offsets: Positions) -> Positions:
    """Returns the rows in which a run begins."""
    begun = np.count_nonzero(runs)
    if not begun:
        return _NONE
    if begun < len(offsets):
        return rows_of(np.flatnonzero(runs), offsets)
    filled = np.flatnonzero(np.diff(offsets))
    filled = filled[: np.searchsorted(offsets[filled], len(runs))]  # in what follows no run has room
    rows: Positions = filled[np.bitwise_or.reduceat(runs, offsets[filled])]
    return rows


def _within_rows(length: int, offsets: Positions) -> Mask:
    """Flags the bytes that have nine after them in their row: bool (n - 9)."""
    goes_on = np.ones(length, np.bool_)
    goes_on[offsets[: np.searchsorted(offsets, length)]] = False
    two = goes_on[:-1] & goes_on[1:]
    four = two[:-2] & two[2:]
    eight = four[:-4] & four[4:]
    within: Mask = eight[1:-1] & goes_on[9:]
    return within


def _holds_controls(data: Bytes) -> bool:
    """Tells whether control characters stand in the text, but for tabs and line breaks."""
    if data.max() == _DELETE:
        return True
    least = data.min()
    return bool(least < ord("\t") or (least < ord(" ") and ((data - _AFTER_RETURN) < _OTHER_CONTROLS).any()))


def _soon(digits: Mask) -> Mask:
    """Flags the bytes that are a digit or have one among the next six, the widest gap within a number."""
    soon = digits.copy()
    for step in (1, 2, 3):  # each step sees as much farther as all before it and its own
        soon[:-step] |= soon[step:].copy()
    return soon


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
