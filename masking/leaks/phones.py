"""Knows phone numbers: Japan's mobile, IP, landline and toll-free ones, with and without +81, and foreign ones with +.

What `normalize: [jp_phone]` reads as a whole value is a phone here too: both ask `NATIONAL`. A foreign number is known
by its `+`, or by `00`, `010` or `011` and a sign before its country code; without either nothing tells it from an id.
Sources: 総務省 電気通信番号計画 (Japan's numbers); ITU-T E.164 (country codes, at most 15 digits).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

import numpy as np
import numpy.typing as npt

from masking.kernels.buffers import gather
from masking.kernels.numerals import pack
from masking.leaks.lookalikes import SHORT_HASH, inside_machine_text, is_in_date
from masking.leaks.marks import Mask, Positions
from masking.leaks.spelling import Plain
from masking.leaks.suspects import FEWEST_DIGITS
from masking.leaks.windows import Groups

NATIONAL: Final = (
    "(?:0[134][0-9]{8}|0[25-9][1-9][0-9]{7}|0[25-9]0[0-9]{8}|(?:0120|0570|0800|0990)[0-9]{6,7})"  # RE2 reads it too
)
"""The digits of a Japanese number as it is called from within Japan: landline, mobile or IP, toll-free."""

ABROAD: Final = (r"^(?:\+81|0081|01081|01181)0?", "^81([5789]0[0-9]{8})$")
"""How the same number begins when it is called from elsewhere; without `+` and exit code it is a mobile one."""

_FEWEST_ABROAD, _MOST = 8, 17
_MOST_GROUPS: Final = 4
_LONGEST: Final = 64
_ANY: Final = rb"[^0-9A-Za-z\xe1]{1,6}"
_NEAR: Final = rb"[ .\-()/~_\t\r\n\v\f\x1f\xe2]{1,6}"
_IN_ABROAD: Final = rb"[ .\-()/~\r\n\x1f]{1,3}"
_END: Final = rb"(?![0-9])"
_MOBILE: Final = rb"0(?:%b)?[25-9]0(?:%b)?[0-9]{4}(?:%b)?[0-9]{4}" % (_ANY, _ANY, _ANY)
_TOLL_FREE: Final = (
    rb"(?:0120|0800|0570|0990)(?:%b)?(?:[0-9]{3}(?:%b)?[0-9]{3,4}|[0-9]{2}(?:%b)?[0-9]{4}|[0-9]{4}(?:%b)?[0-9]{3})"
    % (_ANY, _ANY, _ANY, _ANY)
)
_LANDLINE: Final = (
    rb"(?!0[25-9]0)(?:0[1-9][0-9]{8}|0[1-9][0-9]{0,3}%b[0-9]{1,4}%b[0-9]{4}|0[1-9][0-9]{0,3}%b[0-9]{5,8}(?!-[0-9]))"
    % (_NEAR, _NEAR, rb"[ \-()\t]{1,3}")
)
_MOBILE_OR_FREE: Final = re.compile(rb"(?:%b|%b)%b" % (_MOBILE, _TOLL_FREE, _END))
_LANDLINES: Final = re.compile(_LANDLINE + _END)

_JAPAN: Final = rb"81(?:%b)?(?:0(?:%b)?)?[1-9](?:(?:%b)?[0-9]){8,9}" % (_NEAR, _NEAR, _NEAR)
_AMERICA: Final = rb"1(?:%b)?[2-9][0-9]{2}(?:%b)?[2-9][0-9]{2}(?:%b)?[0-9]{4}" % (_NEAR, _NEAR, _NEAR)
_COUNTRY: Final = (
    rb"(?:7|20|27|3[0-469]|4[013-9]|5[1-8]|6[0-6]|8[246]|9[0-58]"
    rb"|2[1-689][0-9]|3[578][0-9]|42[0-9]|5[09][0-9]|6[789][0-9]|8[057-9][0-9]|9[679][0-9])"
)
_ELSEWHERE: Final = _COUNTRY + rb"(?:%b)?(?:0%b)?[1-9](?:(?:%b)?[0-9]){5,11}" % ((_IN_ABROAD,) * 3)
_INTERNATIONAL: Final = re.compile(rb"(?:%b|%b|%b)%b" % (_JAPAN, _AMERICA, _ELSEWHERE, _END))
_BY_EXIT_CODE: Final = re.compile(
    rb"(?:00|010|011)(?:(?:%b)?%b|%b(?:%b|%b))%b" % (_NEAR, _JAPAN, _NEAR, _AMERICA, _ELSEWHERE, _END)
)
_WITHOUT_PLUS: Final = re.compile(
    rb"81(?:[5789]0[0-9]{8}|%b(?:0%b?)?(?:[25-9]0(?:%b)?[0-9]{4}(?:%b)?[0-9]{4}|[1-9][0-9]{0,3}%b[0-9]{1,4}%b[0-9]{4}))%b"
    % (_NEAR, _NEAR, _NEAR, _NEAR, _NEAR, _NEAR, _END)
)
_MOBILE_OR_FREE_BEGINS: Final = np.zeros(1000, np.bool_)
_MOBILE_OR_FREE_BEGINS[[12, 20, 50, 57, 60, 70, 80, 90, 99]] = True
"""By the first three digits of a number."""
_FRACTION: Final = re.compile(rb"[0-9]{1,3}\.[0-9]{5,}")
_ONE_NUMBER: Final = re.compile(rb"[ \t]*\+?[0-9 .\-()\[\]/_~\t\r\n\v\f\x1f]+")
_NATIONAL: Final = re.compile(NATIONAL)
_ABROAD: Final = tuple(re.compile(prefix) for prefix in ABROAD)


def find_phones(text: Plain, groups: Groups) -> Iterator[tuple[int, int, int]]:
    """Yields (row, start, end) of every phone number, in positions of the plain text."""
    candidates = _candidates(text, groups)
    starts, rows = groups.starts[candidates].tolist(), groups.rows[candidates].tolist()
    plus = _after_plus(text, groups)[candidates].tolist()
    for row, start, after_plus in zip(rows, starts, plus, strict=True):
        end = _end_of_phone(text, row, start, after_plus=after_plus)
        if end and not inside_machine_text(text, row, start, end, SHORT_HASH):
            yield row, start, end
    yield from _whole_values(text, groups)


def _candidates(text: Plain, groups: Groups) -> Positions:
    """Returns the groups with which a phone number may begin, by its first three digits and how many follow."""
    room = groups.first_digit + 3 <= len(groups.digits)
    first = np.zeros(len(room), np.uint64)
    first[room] = pack(gather(groups.digits, groups.first_digit[room], 3), 10)
    left = _digits_left(groups)
    domestic = _MOBILE_OR_FREE_BEGINS[first] | _in_groups_of_landlines(groups) & (first >= 10) & (first < 100)  # noqa: PLR2004 - 01 to 09
    domestic &= _of_ten_or_eleven(groups)
    abroad = ((first // 10 == 81) | _after_exit_code(groups, first)) & (left >= FEWEST_DIGITS + 1)  # noqa: PLR2004 - 81
    with_plus = _after_plus(text, groups) & (left >= _FEWEST_ABROAD)
    return np.flatnonzero((domestic | abroad | with_plus) & (groups.lengths <= _MOST))


def _in_groups_of_landlines(groups: Groups) -> Mask:
    """Flags the groups that are ten digits, or two to five with one or two groups after them as landlines have."""
    lengths = groups.lengths
    second, third = (np.append(lengths[step:], np.zeros(min(step, len(lengths)), np.int64)) for step in (1, 2))
    area = (lengths >= 2) & (lengths <= 5)  # noqa: PLR2004 - 03 to 09969
    at_once = (second >= 5) & (lengths + second >= FEWEST_DIGITS)  # noqa: PLR2004 - 12345678, else 1234-5678
    found: Mask = (lengths == FEWEST_DIGITS) | area & (at_once | (third == 4))  # noqa: PLR2004
    return found


def _after_exit_code(groups: Groups, first: npt.NDArray[np.uint64]) -> Mask:
    """Flags the groups that are 00, 010 or 011, or that begin so and go on with 81."""
    code = np.select([first < 10, (first == 10) | (first == 11)], [2, 3], 0)  # noqa: PLR2004 - 00, 010, 011
    goes_on = np.zeros(len(code), np.bool_)
    room = (code > 0) & (groups.lengths > code) & (groups.first_digit + 5 <= len(groups.digits))
    at = groups.first_digit[room] + code[room]
    goes_on[room] = (groups.digits[at] == 8) & (groups.digits[at + 1] == 1)  # noqa: PLR2004 - 81
    found: Mask = (code > 0) & ((groups.lengths == code) | goes_on)
    return found


def _of_ten_or_eleven(groups: Groups) -> Mask:
    """Flags the groups that are a number of ten or eleven digits, alone or with up to three groups after them."""
    total, goes_on = groups.lengths.copy(), np.ones(len(groups.starts), np.bool_)
    found = (total >= FEWEST_DIGITS) & (total <= FEWEST_DIGITS + 1)
    for step in range(1, min(_MOST_GROUPS, len(total))):
        goes_on[:-step] &= groups.linked[step:]
        goes_on[-step:] = False
        total[:-step] += groups.lengths[step:]
        found |= goes_on & (total >= FEWEST_DIGITS) & (total <= FEWEST_DIGITS + 1)
    return found


def _after_plus(text: Plain, groups: Groups) -> Mask:
    """Flags the groups right after a plus sign, or after one and a bracket or a space."""
    before = text.data[np.maximum(groups.starts - 1, 0)]
    earlier = text.data[np.maximum(groups.starts - 2, 0)]
    loose = (before == ord(" ")) | (before == ord("("))
    found: Mask = (before == ord("+")) | (loose & (earlier == ord("+")))
    return found


def _digits_left(groups: Groups) -> Positions:
    """Returns for each group its digits and those of the groups after it in its chain."""
    lengths = groups.lengths
    firsts = np.flatnonzero(~groups.linked)
    until = np.cumsum(lengths)
    ends = until[np.append(firsts[1:], len(lengths)) - 1]
    return np.repeat(ends, np.diff(firsts, append=len(lengths))) - until + lengths


def _end_of_phone(text: Plain, row: int, start: int, *, after_plus: bool) -> int:
    """Returns where the phone number ends that begins here; 0 where none does."""
    piece = text.piece(row, start, start + _LONGEST)
    if after_plus:
        found = _INTERNATIONAL.match(piece)
        return start + found.end() if found and not _FRACTION.fullmatch(found.group()) else 0
    found = _MOBILE_OR_FREE.match(piece)
    if found:
        return start + found.end()
    found = _BY_EXIT_CODE.match(piece) or _WITHOUT_PLUS.match(piece) or _LANDLINES.match(piece)
    if not found or is_in_date(text, row, start, start + found.end()):
        return 0
    return start + found.end()


def _whole_values(text: Plain, groups: Groups) -> Iterator[tuple[int, int, int]]:
    """Yields the rows that are nothing but one number which `jp_phone` reads, wherever its separators stand."""
    begins = np.flatnonzero(np.diff(groups.rows, prepend=-1))
    if not len(begins):
        return
    totals = np.add.reduceat(groups.lengths, begins)
    several = np.diff(begins, append=len(groups.rows)) > 1
    first = groups.digits[groups.first_digit[begins]]
    for at in begins[several & (totals >= FEWEST_DIGITS) & (totals <= _MOST) & ((first == 0) | (first == 8))].tolist():  # noqa: PLR2004 - 0 or 81
        row = int(groups.rows[at])
        piece = text.piece(row, 0, len(text.data))
        if len(piece) <= _LONGEST and is_phone(piece):
            yield row, text.start_of(row), text.start_of(row) + len(piece)


def is_phone(value: bytes) -> bool:
    """Tells whether a whole value, in its plain spelling, is a Japanese phone number."""
    if not _ONE_NUMBER.fullmatch(value) or value.lstrip().startswith(b"0."):
        return False
    number = bytes(byte for byte in value if byte in b"+0123456789").decode()
    national = _ABROAD[1].sub(r"0\1", _ABROAD[0].sub("0", number))
    return _NATIONAL.fullmatch(national) is not None
