"""Tells which stretches of digits some issuer could have issued, and takes off what is glued to a number."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final

import numpy as np

from masking.card_numbers import LONGEST, SHORTEST
from masking.kernels.buffers import gather
from masking.kernels.luhn import luhn_sum
from masking.leaks.marks import Bytes, Mask, Positions
from masking.leaks.windows import Groups, Windows, digits_of

PREFIX: Final = 8
"""Digits of the longest issuer identification number (ISO/IEC 7812-1)."""

Issued = Callable[[Bytes, Positions], Mask]
"""Flags numbers by their first eight digits and their length: uint8 (n, 8), int64 (n) → bool (n)."""

_EXPIRY, _CODE, _LONG_CODE = 4, 3, 4
_AMEX, _USUAL = 15, 16
_GLUED: Final = {
    _USUAL: (_CODE, _EXPIRY, _EXPIRY + _CODE, _EXPIRY + _LONG_CODE),
    _AMEX: (_EXPIRY, _EXPIRY + _CODE, _EXPIRY + _LONG_CODE),
    LONGEST: (_EXPIRY, _EXPIRY + _CODE),
}
"""Length of a card number → how many digits may be glued to it: an expiry, a card verification code, or both."""
_FIRST_YEAR, _YEARS, _MONTHS = 10, 40, 12


def valid(groups: Groups, found: Windows, issued: Issued) -> Windows:
    """Returns the windows that begin like an issuer's numbers and whose Luhn check digit is right."""
    chosen = found.where(issued(digits_of(groups, found, PREFIX), found.digits)) if len(found.first) else found
    verdict = np.zeros(len(chosen.first), np.bool_)
    for length in np.unique(chosen.digits):
        rows = np.flatnonzero(chosen.digits == length)
        of_length = Windows(chosen.first[rows], chosen.last[rows], chosen.digits[rows])
        verdict[rows] = luhn_sum(digits_of(groups, of_length, int(length))) == 0
    return chosen.where(verdict)


def without_glue(groups: Groups, issued: Issued) -> Iterator[tuple[int, int, int]]:
    """Yields (row, start, end) of numbers within one run of digits: after leading zeros, before an expiry or a code.

    Hosts pad numbers with zeros to a fixed width, and write `YYMM` or `MMYY` and the card verification code right
    behind them.
    """
    zeros = _leading_zeros(groups)
    left = groups.lengths - zeros
    padded = (zeros > 0) & (left >= SHORTEST) & (left <= LONGEST)
    for length in np.unique(left[padded]).tolist():
        yield from _places(groups, np.flatnonzero(padded & (left == length)), zeros, length, 0, issued)
    for length, rests in _GLUED.items():
        for rest in rests:
            yield from _places(groups, np.flatnonzero(left == length + rest), zeros, length, rest, issued)


def _leading_zeros(groups: Groups) -> Positions:
    """Counts the zeros at the beginning of each group."""
    others = np.append(np.flatnonzero(groups.digits), len(groups.digits))
    first = groups.first_digit
    return np.minimum(others[np.searchsorted(others, first)] - first, groups.lengths)


def _places(
    groups: Groups, chosen: Positions, zeros: Positions, length: int, rest: int, issued: Issued
) -> Iterator[tuple[int, int, int]]:
    """Yields the numbers of so many digits, with so many glued behind them, that an issuer could have issued."""
    if not len(chosen):
        return
    digits = gather(groups.digits, groups.first_digit[chosen] + zeros[chosen], length + rest)
    fits = issued(digits[:, :PREFIX], np.full(len(chosen), length)) & (luhn_sum(digits[:, :length]) == 0)
    if length == _AMEX and rest:
        fits &= digits[:, 0] == 3  # noqa: PLR2004 - UATP's numbers of 15 digits have no code and no expiry
    if rest >= _EXPIRY:
        fits &= _is_expiry(digits[:, length : length + _EXPIRY])
    found = chosen[fits]
    starts = groups.starts[found] + zeros[found]
    yield from zip(groups.rows[found].tolist(), starts.tolist(), groups.ends[found].tolist(), strict=True)


def _is_expiry(digits: Bytes) -> Mask:
    """Flags four digits that are a year and a month, or a month and a year."""
    first, second = (digits[:, at].astype(np.int64) * 10 + digits[:, at + 1] for at in (0, 2))
    year_month = _is_year(first) & _is_month(second)
    either: Mask = year_month | (_is_month(first) & _is_year(second))
    return either


def _is_year(numbers: Positions) -> Mask:
    found: Mask = (numbers >= _FIRST_YEAR) & (numbers < _FIRST_YEAR + _YEARS)
    return found


def _is_month(numbers: Positions) -> Mask:
    found: Mask = (numbers >= 1) & (numbers <= _MONTHS)
    return found
