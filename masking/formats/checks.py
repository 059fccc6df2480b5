"""Check digits over matrices of digits: uint8 (n, L) of 0 … 9 → bool (n), True where the check digit is right."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from masking.kernels.buffers import Bytes, Flags
from masking.kernels.luhn import luhn_sum

Check = Callable[[Bytes], Flags]

_DAYS = 366
_HOURS = 24


def luhn(digits: Bytes) -> Flags:
    """Luhn's (ISO/IEC 7812-1, annex B), which IMEI, ICCID and ARN have too."""
    right: Flags = luhn_sum(digits) == 0
    return right


def gs1(digits: Bytes) -> Flags:
    """Weights 3 and 1 from the right (GS1 General Specifications, section 7.9)."""
    weights = np.where(np.arange(digits.shape[1])[::-1] % 2, 3, 1)
    right: Flags = digits @ weights % 10 == 0
    return right


def isbn10(digits: Bytes) -> Flags:
    """Modulo 11 (ISO 2108, annex A); numbers whose check digit is X have nine digits here and are not looked at."""
    right: Flags = digits @ np.arange(digits.shape[1], 0, -1) % 11 == 0
    return right


def modulo_7(digits: Bytes) -> Flags:
    """The last digit is the rest of the others by seven, as on parcels and airline tickets."""
    rest = np.zeros(len(digits), np.int64)
    for place in range(digits.shape[1] - 1):
        rest = (rest * 10 + digits[:, place]) % 7
    right: Flags = rest == digits[:, -1]
    return right


def upu(digits: Bytes) -> Flags:
    """Weights 8, 6, 4, 2, 3, 5, 9, 7 modulo 11 (UPU S10)."""
    rest = 11 - digits[:, :8] @ np.array([8, 6, 4, 2, 3, 5, 9, 7]) % 11
    rest = np.select([rest == 10, rest == 11], [0, 5], rest)  # noqa: PLR2004 - as the standard says
    right: Flags = rest == digits[:, 8]
    return right


def corporate(digits: Bytes) -> Flags:
    """The first digit checks the other twelve (法人番号の指定等に関する省令, article 2)."""
    weights = np.array([2, 1] * 6)
    right: Flags = 9 - digits[:, 1:] @ weights % 9 == digits[:, 0]
    return right


def retrieval(digits: Bytes) -> Flags:
    """Begins YDDDHH: last digit of a year, a day of the year and an hour (ISO 8583, field 37, as networks fill it)."""
    day = digits[:, 1:4] @ np.array([100, 10, 1])
    hour = digits[:, 4:6] @ np.array([10, 1])
    right: Flags = (day >= 1) & (day <= _DAYS) & (hour < _HOURS)
    return right


def acquirer(digits: Bytes) -> Flags:
    """Twenty-three digits whose last is Luhn's check digit, with a day of the year in the eighth to eleventh."""
    day = digits[:, 8:11] @ np.array([100, 10, 1])
    right: Flags = luhn(digits) & (day >= 1) & (day <= _DAYS)
    return right
