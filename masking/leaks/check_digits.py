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
_FEWEST_GLUED: Final = min(length + rest for length, rests in _GLUED.items() for rest in rests)
_IN_A_WORD: Final = 8
_LOW_BYTES: Final = np.array([(1 << 8 * digits) - 1 for digits in range(_IN_A_WORD + 1)], np.uint64)
"""By the number of digits: which bits of a little-endian word hold so many of the first ones."""
_FIRST_YEAR, _YEARS, _MONTHS = 10, 40, 12


def valid(groups: Groups, found: Windows, issued: Issued) -> Windows:
    """Returns the windows that begin like an issuer's numbers and whose Luhn check digit is right."""
    chosen = found.where(issued(digits_of(groups, found, PREFIX), found.digits)) if len(found.first) else found
    verdict = np.zeros(len(chosen.first), np.bool_)
    for length in np.flatnonzero(np.bincount(chosen.digits)).tolist():
        rows = np.flatnonzero(chosen.digits == length)
        of_length = Windows(chosen.first[rows], chosen.last[rows], chosen.digits[rows])
        verdict[rows] = luhn_sum(digits_of(groups, of_length, length)) == 0
    return chosen.where(verdict)


def without_glue(groups: Groups, issued: Issued) -> Iterator[tuple[int, int, int]]:
    """Yields (row, start, end) of numbers within one run of digits: after leading zeros, before an expiry or a code.

    Hosts pad numbers with zeros to a fixed width, and write `YYMM` or `MMYY` and the card verification code right
    behind them.
    """
    long = np.flatnonzero(groups.lengths > SHORTEST)
    long = long[(groups.first_digits[long] == 0) | (groups.lengths[long] >= _FEWEST_GLUED)]
    long = _with_enough_left(groups, long)
    if not len(long):
        return
    zeros = _leading_zeros(groups, long)
    left = groups.lengths[long] - zeros
    padded = (zeros > 0) & (left >= SHORTEST) & (left <= LONGEST)
    for length in np.unique(left[padded]).tolist():
        chosen = padded & (left == length)
        yield from _places(groups, long[chosen], zeros[chosen], length, 0, issued)
    for length, rests in _GLUED.items():
        for rest in rests:
            chosen = left == length + rest
            if chosen.any():
                yield from _places(groups, long[chosen], zeros[chosen], length, rest, issued)


def _with_enough_left(groups: Groups, chosen: Positions) -> Positions:
    """Returns those of the groups, each longer than a card number, that have one's digits after their leading zeros."""
    first = gather(groups.digits, groups.first_digit[chosen], _IN_A_WORD).view("<u8").reshape(-1)
    may_be_zeros = groups.lengths[chosen] - SHORTEST
    left = (first & _LOW_BYTES[np.minimum(may_be_zeros + 1, _IN_A_WORD)]) > 0
    hopeful: Positions = chosen[left | (may_be_zeros >= _IN_A_WORD)]
    return hopeful


def _leading_zeros(groups: Groups, chosen: Positions) -> Positions:
    """Counts the zeros at the beginning of each of the groups."""
    zeros = np.zeros(len(chosen), np.int64)
    first, lengths = groups.first_digit[chosen], groups.lengths[chosen]
    left = np.flatnonzero(groups.digits[first] == 0)
    while len(left):
        zeros[left] += 1
        left = left[zeros[left] < lengths[left]]
        left = left[groups.digits[first[left] + zeros[left]] == 0]
    return zeros


def _places(
    groups: Groups, chosen: Positions, zeros: Positions, length: int, rest: int, issued: Issued
) -> Iterator[tuple[int, int, int]]:
    """Yields the numbers of so many digits, with so many glued behind them, that an issuer could have issued."""
    digits = gather(groups.digits, groups.first_digit[chosen] + zeros, length + rest)
    fits = issued(digits[:, :PREFIX], np.full(len(chosen), length)) & (luhn_sum(digits[:, :length]) == 0)
    if length == _AMEX and rest:
        fits &= digits[:, 0] == 3  # noqa: PLR2004 - UATP's numbers of 15 digits have no code and no expiry
    if rest >= _EXPIRY:
        fits &= _is_expiry(digits[:, length : length + _EXPIRY])
    found = chosen[fits]
    starts = groups.starts[found] + zeros[fits]
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
