"""Knows My Number (個人番号): twelve digits, plain or four-four-four, the last one a check digit.

Source of the check digit: Ministry of Internal Affairs and Communications ordinance 85 of 2014 (総務省令第八十五号),
article 5.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import numpy as np

from masking.leaks.lookalikes import SHORT_HASH, inside_machine_text
from masking.leaks.marks import Bytes, Mask, Positions
from masking.leaks.spelling import Plain
from masking.leaks.windows import Groups, Windows, digits_of

LENGTH = 12
_GROUP = 4
_WEIGHTS = tuple(np.uint8(weight) for weight in (6, 5, 4, 3, 2, 7, 6, 5, 4, 3, 2))  # times nine is below 256
_MODULUS = np.uint16(11)
_YEARS = re.compile(rb"(?:(?:19|20)[0-9]{2}[^0-9]*){3}")
_MINUTE = re.compile(rb"(?:19|20)\d\d(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])(?:[01]\d|2[0-3])[0-5]\d")


def find_my_numbers(text: Plain, groups: Groups) -> Iterator[tuple[int, int, int]]:
    """Yields (row, start, end) of every My Number, in positions of the plain text."""
    alone = np.flatnonzero(groups.lengths == LENGTH)
    first = np.concatenate([alone, _first_of_three(groups)])
    last = np.concatenate([alone, first[len(alone) :] + 2])
    order = np.argsort(first, kind="stable")
    lot = Windows(first[order], last[order], np.full(len(first), LENGTH))
    found = lot.where(check_digit_fits(digits_of(groups, lot, LENGTH)))
    for start_group, end_group, row, start, end in found.places(groups):
        if start_group != end_group and (
            _goes_on_in_fours(text, groups, start_group, end_group) or _YEARS.fullmatch(text.piece(row, start, end))
        ):
            continue
        # 202308311045 is a minute; one My Number in 37,000 could be read as one.
        if _MINUTE.fullmatch(text.piece(row, start, end)) or inside_machine_text(text, row, start, end, SHORT_HASH):
            continue
        yield row, start, end


def _first_of_three(groups: Groups) -> Positions:
    """Returns the groups of four digits that two more follow, whatever up to six signs but letters part them."""
    four, linked = groups.lengths == _GROUP, groups.linked
    return np.flatnonzero(four[:-2] & four[1:-1] & four[2:] & linked[1:-1] & linked[2:])


def _goes_on_in_fours(text: Plain, groups: Groups, first: int, last: int) -> bool:
    """Tells whether the three groups are a part of a longer number in fours, such as a card token."""
    separator = text.data[groups.ends[first]]
    linked = groups.linked
    if linked[first] and groups.lengths[first - 1] == _GROUP and text.data[groups.ends[first - 1]] == separator:
        return True
    goes_on = last + 1 < len(linked) and linked[last + 1] and groups.lengths[last + 1] == _GROUP
    return bool(goes_on and text.data[groups.ends[last]] == separator)


def check_digit_fits(digits: Bytes) -> Mask:
    """Flags the rows of a matrix (n, 12) whose last digit is the check digit; twelve zeros were never issued."""
    total = np.zeros(len(digits), np.uint16)
    for place, weight in enumerate(_WEIGHTS):
        total += digits[:, place] * weight
    remainder = total % _MODULUS
    expected = np.where(remainder <= 1, 0, _MODULUS - remainder)
    fits: Mask = (digits[:, LENGTH - 1] == expected) & digits.any(axis=1)
    return fits
