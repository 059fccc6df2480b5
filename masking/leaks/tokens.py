"""Knows our own tokens: a whole value `k<version>_` followed by at least 32 lower-case hexadecimal digits."""

from __future__ import annotations

import numpy as np

from masking.kernels.buffers import gather
from masking.leaks.marks import Bytes, Mask, Positions

_FEWEST_HEX = 32
_LONGEST_VERSION = 3
_BEGINS, _JOINT = ord("k"), ord("_")
_SHORTEST = len("k1_") + _FEWEST_HEX
_ZERO, _A = np.uint8(ord("0")), np.uint8(ord("a"))
_ROWS_AT_ONCE = 1 << 14
_LONGEST = 1 << 10
"""Longer values are not looked at here; the exact rules find nothing in random hexadecimal digits either."""


def are_only_tokens(data: Bytes, offsets: Positions) -> bool:
    """Tells whether every row is empty or a token of ours; as `own_tokens` of all rows, without a matrix of them."""
    lengths = np.diff(offsets)
    filled = np.flatnonzero(lengths)
    starts, lengths = offsets[filled], lengths[filled]
    others = len(data) - np.count_nonzero(_hex_digits(data))
    if others != 2 * len(starts) or not (data[starts] == _BEGINS).all():  # each has two, the k and the _
        return False
    if lengths.min(initial=_SHORTEST) < _SHORTEST or lengths.max(initial=0) > _LONGEST:
        return False
    for digits in range(1, _LONGEST_VERSION + 1):
        if not ((data[starts + digits] - _ZERO) < 10).all():  # noqa: PLR2004 - ten digits
            return False
        joined = data[starts + digits + 1] == _JOINT
        if (lengths[joined] < digits + 2 + _FEWEST_HEX).any():
            return False
        starts, lengths = starts[~joined], lengths[~joined]
    return not len(starts)


def own_tokens(data: Bytes, offsets: Positions, rows: Positions) -> Mask:
    """Flags those of the rows whose whole value is a token of ours."""
    starts, lengths = offsets[rows], offsets[rows + 1] - offsets[rows]
    tokens = np.zeros(len(rows), np.bool_)
    likely = np.flatnonzero((lengths >= _SHORTEST) & (lengths <= _LONGEST))
    likely = likely[data[starts[likely]] == _BEGINS]
    for length in np.unique(lengths[likely]).tolist():
        same = likely[lengths[likely] == length]
        for begin in range(0, len(same), _ROWS_AT_ONCE):
            part = same[begin : begin + _ROWS_AT_ONCE]
            tokens[part] = _are_tokens(gather(data, starts[part], length))
    return tokens


def _are_tokens(values: Bytes) -> Mask:
    """Flags the rows of a matrix that are tokens; the first byte is known to be a k."""
    found = np.zeros(len(values), np.bool_)
    version = np.ones(len(values), np.bool_)
    is_hex = _hex_digits(values)
    all_hex: Mask = np.logical_and.reduce(is_hex, axis=0)  # by column, many times quicker than by row
    for digits in range(1, _LONGEST_VERSION + 1):
        version &= (values[:, digits] - _ZERO) < 10  # noqa: PLR2004 - ten digits
        after = digits + 2
        if values.shape[1] - after >= _FEWEST_HEX:
            spelled = all_hex[after:].all() or is_hex[:, after:].all(axis=1)
            found |= version & (values[:, digits + 1] == _JOINT) & spelled
    return found


def _hex_digits(data: Bytes) -> Mask:
    """Flags lower-case hexadecimal digits."""
    # Smaller bytes wrap around to large ones; two comparisons are several times faster than a look-up.
    found: Mask = ((data - _ZERO) < 10) | ((data - _A) < 6)  # noqa: PLR2004 - ten digits, six letters
    return found
