"""Writes out whole numbers in scientific notation: `4.111111111111111E+15` is read as 4111111111111111."""

from __future__ import annotations

import re
from typing import Final

import numpy as np

from masking.leaks.escapes import Decoded

_FEWEST, _MOST = 10, 19
_LONGEST: Final = 48
_NUMBER: Final = re.compile(rb"([0-9]{0,20})\.?([0-9]{0,24})[eE]([+-]?)([0-9]{1,2})(?![0-9A-Za-z.])")
_DIGITS: Final = np.zeros(256, np.bool_)
_DIGITS[list(b"0123456789")] = True
_SIGNED, _IN_MANTISSA = _DIGITS.copy(), _DIGITS.copy()
_SIGNED[list(b"+-")] = True
_IN_MANTISSA[ord(".")] = True
_IN_NUMBER: Final = re.compile(rb"(?:^|[^0-9A-Za-z.])([0-9]*\.?[0-9]*)\Z")


def written_out(text: Decoded) -> Decoded:
    """Returns the text with every number of 10 to 19 digits as its digits; others stay as they are."""
    data = text.data
    at = np.flatnonzero((data | 0x20) == ord("e"))
    at = at[(at >= _FEWEST) & (at + 1 < len(data))]
    at = at[_SIGNED[data[at + 1]]]
    for step in range(1, _FEWEST + 1):
        at = at[_IN_MANTISSA[data[at - step]]]
    if not len(at):
        return text
    whole, bounds = data.tobytes(), text.offsets.tolist()
    rows = (np.searchsorted(text.offsets, at, "right") - 1).tolist()
    found = []
    for position, row in zip(at.tolist(), rows, strict=True):
        base = max(bounds[row], position - _LONGEST)
        before = _IN_NUMBER.search(whole[base:position])
        number = _NUMBER.match(whole, base + before.start(1), bounds[row + 1]) if before else None
        digits = _digits(number) if number else b""
        if number and digits:
            found.append((number.start(), number.end(), digits))
    if not found:
        return text
    starts, ends = (np.array([one[side] for one in found], np.int64) for side in (0, 1))
    widths = np.array([len(digits) for _, _, digits in found], np.int64)
    parts = np.frombuffer(b"".join(digits.ljust(_MOST, b"0") for _, _, digits in found), np.uint8)
    return text.replaced(starts, ends, parts.reshape(-1, _MOST), widths)


def _digits(number: re.Match[bytes]) -> bytes:
    """Returns the digits of a whole number; nothing where it has a fraction, or too few or too many digits."""
    before, after, sign, exponent = number.groups()
    point = len(before) + int(exponent) * (-1 if sign == b"-" else 1)
    digits = before + after
    if len(digits.strip(b"0")) < _FEWEST or point < 0 or digits[point:].strip(b"0"):
        return b""
    written = digits[:point].ljust(point, b"0").lstrip(b"0")
    return written if _FEWEST <= len(written) <= _MOST else b""
