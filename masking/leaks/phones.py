"""Knows Japanese phone numbers: mobile and IP (0X0), landlines, toll-free, and all of them behind +81."""

from __future__ import annotations

import re
from collections.abc import Iterator

import numpy as np

from masking.kernels.numerals import pack
from masking.leaks.lookalikes import SHORT_HASH, inside_machine_text
from masking.leaks.spelling import Plain
from masking.leaks.suspects import Mask
from masking.leaks.windows import Groups, Windows, digits_of, windows

FEWEST, MOST = 10, 15
_MOST_GROUPS, _FEWEST_AT_END = 3, 3
_S = rb"[ .\-()\t]{1,3}"

_MOBILE = rb"0[25-9]0(?:%b)?\d{4}(?:%b)?\d{4}" % (_S, _S)
_TOLL_FREE = rb"(?:0120|0800|0570|0990)(?:%b)?\d{2,4}(?:%b)?\d{3,4}" % (_S, _S)
_LANDLINE = rb"(?!0[25-9]0)(?:0[1-9]\d{8}|0[1-9]\d{0,3}%b\d{1,4}%b\d{4}|0[1-9]\d{0,3}[ \-()\t]{1,3}\d{5,8})" % (_S, _S)
_ABROAD = rb"(?:81|0081|01081|010%b81)(?:%b)?(?:0(?:%b)?)?[1-9](?:(?:%b)?\d){8,9}" % (_S, _S, _S, _S)

_WITH_TEN_DIGITS = re.compile(_LANDLINE)
_WITH_OTHER = re.compile(rb"%b|%b" % (_MOBILE, _TOLL_FREE))
_WITH_COUNTRY = re.compile(_ABROAD)


def find_phones(text: Plain, groups: Groups) -> Iterator[tuple[int, int, int]]:
    """Yields (row, start, end) of every phone number, in positions of the plain text."""
    after_plus = text.data[np.maximum(groups.starts - 1, 0)] == ord("+")
    begins = (groups.digits[groups.first_digit] == 0) | after_plus
    for lot in windows(groups, groups.linked_as_phone, begins, FEWEST, MOST):
        found = lot.where(_begins_like_a_phone(groups, lot, after_plus))
        for (_, _, row, start, end), digits in zip(found.places(groups), found.digits.tolist(), strict=True):
            like_a_phone = _is_phone(text.piece(row, start, end), digits)
            if like_a_phone and not inside_machine_text(text, row, start, end, SHORT_HASH):
                yield row, start, end


def _begins_like_a_phone(groups: Groups, found: Windows, after_plus: Mask) -> Mask:
    """Flags windows of ten or eleven digits behind one zero, and longer ones that begin with the country code."""
    prefix = pack(digits_of(groups, found, 5), 10)
    domestic = (prefix >= 1000) & (prefix < 10000) & (found.digits <= FEWEST + 1)  # noqa: PLR2004 - 01… to 09…
    domestic &= (found.last - found.first < _MOST_GROUPS) & (groups.lengths[found.last] >= _FEWEST_AT_END)
    abroad = np.where(after_plus[found.first], prefix // 1000 == 81, (prefix // 10 == 81) | (prefix == 1081))  # noqa: PLR2004 - +81, 0081, 010 81
    plausible: Mask = domestic | abroad
    return plausible


def _is_phone(number: bytes, digits: int) -> bool:
    if digits == FEWEST and _WITH_TEN_DIGITS.fullmatch(number):
        return True
    if digits in {FEWEST, FEWEST + 1} and _WITH_OTHER.fullmatch(number):
        return True
    return _WITH_COUNTRY.fullmatch(number) is not None
