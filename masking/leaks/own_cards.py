"""Knows the issuer's own card numbers by their issuer identification numbers (IIN): exact, so that nothing allows one.

A number of 10 to 19 digits counts when its first six to eight digits are one of the issuer's and its Luhn check digit
is right, in whatever groups it is written. By chance that is one number in ten million for an IIN of six digits.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from typing import Annotated, Final

import numpy as np
import pyarrow as pa
from pydantic import StringConstraints

from masking.card_numbers import LONGEST
from masking.kernels.buffers import ByteStrings, gather
from masking.kernels.luhn import luhn_sum
from masking.kernels.numerals import pack
from masking.leaks.check_digits import PREFIX, Issued, valid, without_glue
from masking.leaks.marks import Bytes, Mask, Positions
from masking.leaks.runs import FEWEST_DIGITS
from masking.leaks.spelling import Plain
from masking.leaks.windows import Groups, windows

Iin = Annotated[str, StringConstraints(pattern=r"^[0-9]{6,8}$", strict=True)]
"""An issuer identification number: the first 6 to 8 digits of all card numbers that an issuer gives out."""

OwnIins = tuple[str, ...]

_OWN_TOKEN: Final = re.compile(rb"k[0-9]{1,9}_[0-9a-f]{32,}")
_AROUND: Final = 80
_ZERO: Final = np.uint8(ord("0"))


@cache
def own_issued(iins: OwnIins) -> Issued:
    """Returns what tells own numbers by their first eight digits."""
    by_length = [
        (np.uint64(10 ** (PREFIX - length)), np.array([int(iin) for iin in iins if len(iin) == length], np.uint64))
        for length in sorted({len(iin) for iin in iins})
    ]

    def issued(first_digits: Bytes, lengths: Positions) -> Mask:
        del lengths  # house cards have any
        numbers = pack(first_digits, 10)
        own = np.zeros(len(numbers), np.bool_)
        for rest, known in by_length:
            own |= np.isin(numbers // rest, known)
        return own

    return issued


def find_own_cards(text: Plain, groups: Groups, iins: OwnIins) -> Iterator[tuple[int, int, int]]:
    """Yields (row, start, end) of every own card number, in positions of the plain text; not inside our own tokens."""
    issued = own_issued(iins)
    begins = np.zeros(len(groups.starts), np.bool_)
    enough = groups.first_digit + PREFIX <= len(groups.digits)
    first = groups.first_digit[enough]
    begins[enough] = issued(gather(groups.digits, first, PREFIX), first)
    places = [*without_glue(groups, issued)]
    for found in windows(groups, groups.linked, begins, FEWEST_DIGITS, LONGEST):
        places += [place[2:] for place in valid(groups, found, issued).places(groups)]
    for row, start, end in places:
        base = max(start - _AROUND, text.start_of(row))
        around = text.piece(row, base, end + _AROUND)
        if not any(
            token.start() <= start - base and end - base <= token.end() for token in _OWN_TOKEN.finditer(around)
        ):
            yield row, start, end


def own_tokens_of_fpe(texts: pa.Array, iins: OwnIins) -> Mask:
    """Flags the whole values that are own card numbers: what a token of `fpe` must never be."""
    own = np.zeros(len(texts), np.bool_)
    for rows, numbers in ByteStrings.from_arrow(texts).groups():
        own[rows] = are_own(numbers - _ZERO, iins)
    return own


def are_own(digits: Bytes, iins: OwnIins) -> Mask:
    """Flags the rows of digits that are own card numbers as a whole: uint8 (n, L) → bool (n).

    Anything but a digit in a row, such as the numeral of a letter, makes it none.
    """
    own = np.zeros(len(digits), np.bool_)
    if not iins or not FEWEST_DIGITS <= digits.shape[1] <= LONGEST:
        return own
    first = np.ascontiguousarray(digits[:, :PREFIX])
    begins = np.flatnonzero((first < FEWEST_DIGITS).all(axis=1))
    begins = begins[own_issued(iins)(first[begins], begins)]
    begins = begins[(digits[begins] < FEWEST_DIGITS).all(axis=1)]
    own[begins[luhn_sum(digits[begins]) == 0]] = True
    return own
