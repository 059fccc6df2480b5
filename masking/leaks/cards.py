"""Knows other issuers' card numbers: the ranges of the brands with their lengths, and the Luhn check digit.

Luhn is that of ISO/IEC 7812-1, annex B. One number in ten passes it by chance, and about three in ten begin like some
brand's: so a single number is told from others only by what it stands in, and a column by the share that passes.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import chain
from typing import Final

import numpy as np
import numpy.typing as npt

from masking.card_numbers import LONGEST, SHORTEST
from masking.kernels.numerals import pack
from masking.leaks.brands import ISSUER_RANGES
from masking.leaks.check_digits import valid, without_glue
from masking.leaks.lookalikes import crosses_another, inside_machine_text
from masking.leaks.marks import Bytes, Mask, Positions
from masking.leaks.spelling import Plain
from masking.leaks.windows import Groups, Windows, in_thousands, printed, windows

_PREFIX: Final = 4
_OLD_VISA: Final = 13
_JAN: Final = re.compile(rb"4[59][0-9]{11}")

_LISTING = re.compile(rb"[^0-9 \-]")
_AS_PRINTED = re.compile(
    rb"(?:[0-9]{4}[^0-9]+)+[0-9]{1,4}|[0-9]{4}[^0-9]+[0-9]{6}[^0-9]+[0-9]{4,5}"  # fours; Amex and Diners Club
)


def _lengths_by_prefix() -> npt.NDArray[np.bool_]:
    issued = np.zeros((10**_PREFIX, LONGEST + 1), np.bool_)
    for _, low, high, lengths, _ in ISSUER_RANGES:
        issued[low : high + 1, list(lengths)] = True
    return issued


_ISSUED = _lengths_by_prefix()
_BEGINS: npt.NDArray[np.bool_] = np.any(_ISSUED.reshape(10, -1), axis=1)
"""By first digit: whether any brand's numbers begin so."""


def find_cards(text: Plain, groups: Groups) -> Iterator[tuple[int, int, int]]:
    """Yields (row, start, end) of every card number of 13 to 19 digits, in positions of the plain text."""
    begins = _BEGINS[groups.first_digits]
    for found in windows(groups, groups.linked_as_card, begins, SHORTEST, LONGEST):
        chosen = valid(groups, found, issued)
        for first, last, row, start, end in chosen.places(groups):
            together = first == last or _stand_together(text, row, start, end)
            if together and not _something_else(text, row, start, end, alone=first == last):
                yield row, start, end
    whole = (place[2:] for found in _as_written(text, groups) for place in found.places(groups))
    for row, start, end in chain(whole, without_glue(groups, issued)):
        if not inside_machine_text(text, row, start, end):
            yield row, start, end


def _as_written(text: Plain, groups: Groups) -> Iterator[Windows]:
    """Yields the numbers in groups as cards print them, and as programs write amounts."""
    for found in printed(groups):
        yield valid(groups, found, issued)
    for found in in_thousands(text, groups):
        yield valid(groups, found, _issued_in_thousands)


def _something_else(text: Plain, row: int, start: int, end: int, *, alone: bool) -> bool:
    """Tells whether a number is part of machine text, or 13 digits in a row that are no Visa's.

    Visa has long ceased to issue 13 digits, and as many have every JAN code of Japan (45…, 49…): in a text they count
    unless they are a JAN code, and as a whole value never.
    """
    if alone and end - start == _OLD_VISA and text.piece(row, start, start + 1) == b"4":
        number = text.piece(row, start, end)
        if text.is_whole(row, start, end) or (_JAN.fullmatch(number) and _is_ean(number)):
            return True
    return inside_machine_text(text, row, start, end)


def _is_ean(number: bytes) -> bool:
    """Tells whether the check digit is right (GS1 General Specifications, section 7.9)."""
    return sum((digit - ord("0")) * (3 if place % 2 else 1) for place, digit in enumerate(number)) % 10 == 0


def _stand_together(text: Plain, row: int, start: int, end: int) -> bool:
    """Tells whether groups of digits are one card number, and not neighbors that fit the check digit by chance.

    Spaces and hyphens may stand anywhere. Dots, slashes, underscores and line breaks also part versions, object ids,
    dates and lists, so with them the groups must be as cards print them.
    """
    number = text.piece(row, start, end)
    return bool(_AS_PRINTED.fullmatch(number)) or not (
        _LISTING.search(number) or crosses_another(text, row, start, end)
    )


def _issued_in_thousands(first_digits: Bytes, lengths: Positions) -> Mask:
    """Flags numbers of a brand, but UATP's: lists of five numbers of three digits often begin with a 1."""
    return issued(first_digits, lengths) & (first_digits[:, 0] > 1)


def issued(first_digits: Bytes, lengths: Positions) -> Mask:
    """Flags numbers whose first digits and length are some brand's: uint8 (n, 8), int64 (n) → bool (n)."""
    fits: Mask = _ISSUED[pack(first_digits[:, :_PREFIX], 10), lengths]
    return fits
