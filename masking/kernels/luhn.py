"""The Luhn check of card numbers over matrices of digits (ISO/IEC 7812-1, annex B)."""

from __future__ import annotations

import numpy as np

from masking.kernels.buffers import Bytes

_TEN = np.uint8(10)
_DOUBLED = np.array([0, 2, 4, 6, 8, 1, 3, 5, 7, 9], np.uint8)
"""Twice a digit, the digits of the result added."""


def luhn_sum(digits: Bytes) -> Bytes:
    """Returns each row's Luhn sum modulo 10, zero for a valid number: uint8 (n, L) of 0 … 9 → uint8 (n)."""
    total = np.zeros(len(digits), np.uint8)
    for place in range(digits.shape[1]):
        column = digits[:, digits.shape[1] - 1 - place]
        total += _DOUBLED[column] if place % 2 else column
        # Two digits of at most 9 onto a rest below 10 stay far below 256; one subtraction keeps the rest below 10.
        np.minimum(total, total - _TEN, out=total)
    return total


def check_digit(payload: Bytes) -> Bytes:
    """Returns the digit that makes the row valid when it follows the payload: uint8 (n, L) → uint8 (n)."""
    with_zero = np.zeros((len(payload), payload.shape[1] + 1), np.uint8)
    with_zero[:, :-1] = payload
    rest = luhn_sum(with_zero)
    return np.where(rest == 0, rest, _TEN - rest)
