"""Knows our own tokens: a whole value `k<version>_` followed by at least 32 lower-case hexadecimal digits."""

from __future__ import annotations

import numpy as np

from masking.kernels.buffers import gather
from masking.leaks.marks import Bytes, Mask, Positions

_FEWEST_HEX = 32
_LONGEST_VERSION = 3
_ZERO, _A = np.uint8(ord("0")), np.uint8(ord("a"))
_ROWS_AT_ONCE = 1 << 14
_LONGEST = 1 << 10
"""Longer values are not looked at here; the exact rules find nothing in random hexadecimal digits either."""


def own_tokens(data: Bytes, offsets: Positions, rows: Positions) -> Mask:
    """Flags those of the rows whose whole value is a token of ours."""
    starts, lengths = offsets[rows], offsets[rows + 1] - offsets[rows]
    tokens = np.zeros(len(rows), np.bool_)
    likely = np.flatnonzero((lengths >= _FEWEST_HEX + len("k1_")) & (lengths <= _LONGEST))
    likely = likely[data[starts[likely]] == ord("k")]
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
    # Smaller bytes wrap around to large ones; two comparisons are several times faster than a look-up.
    is_hex = ((values - _ZERO) < 10) | ((values - _A) < 6)  # noqa: PLR2004 - ten digits, six letters
    all_hex: Mask = np.logical_and.reduce(is_hex, axis=0)  # by column, many times quicker than by row
    for digits in range(1, _LONGEST_VERSION + 1):
        version &= (values[:, digits] - _ZERO) < 10  # noqa: PLR2004 - ten digits
        after = digits + 2
        if values.shape[1] - after >= _FEWEST_HEX:
            spelled = all_hex[after:].all() or is_hex[:, after:].all(axis=1)
            found |= version & (values[:, digits + 1] == ord("_")) & spelled
    return found
