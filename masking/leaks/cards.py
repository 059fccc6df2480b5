"""Knows card numbers: issuer ranges of the brands with their lengths, and the Luhn check digit (ISO/IEC 7812-1)."""

from __future__ import annotations

import re
from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from masking.card_numbers import LONGEST, SHORTEST
from masking.kernels.luhn import luhn_sum
from masking.kernels.numerals import pack
from masking.leaks.lookalikes import crosses_another, inside_machine_text
from masking.leaks.spelling import Plain
from masking.leaks.suspects import Mask
from masking.leaks.windows import Groups, Windows, digits_of, windows

_PREFIX = 4

ISSUER_RANGES: tuple[tuple[str, int, int, tuple[int, ...]], ...] = (
    # brand, first and last four digits, lengths of its numbers
    ("Visa", 4000, 4999, (13, 16, 18, 19)),
    ("Mastercard", 5100, 5599, (16,)),
    ("Mastercard", 2221, 2720, (16,)),
    ("JCB", 3528, 3589, (16, 17, 18, 19)),
    ("JCB, earlier", 1800, 1800, (15,)),
    ("JCB, earlier", 2131, 2131, (15,)),
    ("American Express", 3400, 3499, (15,)),
    ("American Express", 3700, 3799, (15,)),
    ("Diners Club", 3000, 3059, (14, 16, 17, 18, 19)),
    ("Diners Club", 3095, 3095, (14, 16, 17, 18, 19)),
    ("Diners Club", 3600, 3699, (14, 16, 17, 18, 19)),
    ("Diners Club", 3800, 3999, (14, 16, 17, 18, 19)),
    ("Discover", 6011, 6011, (16, 17, 18, 19)),
    ("Discover", 6440, 6599, (16, 17, 18, 19)),
    ("UnionPay", 6200, 6299, (16, 17, 18, 19)),
    ("UnionPay", 8100, 8171, (16, 17, 18, 19)),
    ("Maestro", 5018, 5018, (13, 14, 15, 16, 17, 18, 19)),
    ("Maestro", 5020, 5020, (13, 14, 15, 16, 17, 18, 19)),
    ("Maestro", 5038, 5038, (13, 14, 15, 16, 17, 18, 19)),
    ("Maestro", 5893, 5893, (13, 14, 15, 16, 17, 18, 19)),
    ("Maestro", 6304, 6304, (13, 14, 15, 16, 17, 18, 19)),
    ("Maestro", 6759, 6763, (13, 14, 15, 16, 17, 18, 19)),
)


def _lengths_by_prefix() -> npt.NDArray[np.bool_]:
    issued = np.zeros((10**_PREFIX, LONGEST + 1), np.bool_)
    for _, low, high, lengths in ISSUER_RANGES:
        issued[low : high + 1, list(lengths)] = True
    return issued


_LISTING = re.compile(rb"[^0-9 \-]")
_AS_PRINTED = re.compile(
    rb"(?:[0-9]{4}[^0-9]+)+[0-9]{1,4}|[0-9]{4}[^0-9]+[0-9]{6}[^0-9]+[0-9]{4,5}"  # fours; Amex and Diners Club
)

_ISSUED = _lengths_by_prefix()
_BEGINS = _ISSUED.reshape(10, -1).any(axis=1)
"""By first digit: whether any brand's numbers begin so."""


def find_cards(text: Plain, groups: Groups) -> Iterator[tuple[int, int, int]]:
    """Yields (row, start, end) of every card number of 13 to 19 digits, in positions of the plain text."""
    begins = _BEGINS[groups.digits[groups.first_digit]]
    for found in windows(groups, groups.linked_as_card, begins, SHORTEST, LONGEST):
        for first, last, row, start, end in found.where(card_like(groups, found)).places(groups):
            together = first == last or _stand_together(text, row, start, end)
            if together and not inside_machine_text(text, row, start, end):
                yield row, start, end


def _stand_together(text: Plain, row: int, start: int, end: int) -> bool:
    """Tells whether groups of digits are one card number, and not neighbors that fit the check digit by chance.

    Spaces and hyphens may stand anywhere. Dots, slashes, underscores and line breaks also part versions, object ids,
    dates and lists, so with them the groups must be as cards print them.
    """
    number = text.piece(row, start, end)
    return bool(_AS_PRINTED.fullmatch(number)) or not (
        _LISTING.search(number) or crosses_another(text, row, start, end)
    )


def card_like(groups: Groups, found: Windows) -> Mask:
    """Flags the windows of 13 to 19 digits that some brand could have issued: range, length and check digit fit."""
    verdict = np.zeros(len(found.first), np.bool_)
    if not len(verdict):
        return verdict
    prefix = pack(digits_of(groups, found, _PREFIX), 10)
    issued = np.flatnonzero(_ISSUED[prefix, found.digits])
    for length in np.unique(found.digits[issued]):
        rows = issued[found.digits[issued] == length]
        chosen = Windows(found.first[rows], found.last[rows], found.digits[rows])
        verdict[rows] = luhn_sum(digits_of(groups, chosen, int(length))) == 0
    return verdict
