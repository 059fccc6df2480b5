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
from masking.leaks.marks import Bytes, Mask, Positions
from masking.leaks.runs import FEWEST_DIGITS
from masking.leaks.spelling import Plain
from masking.leaks.windows import Groups

NATIONAL: Final = (
    "(?:0[134][0-9]{8}|0[25-9][1-9][0-9]{7}|0[25-9]0[0-9]{8}|(?:0120|0570|0800|0990)[0-9]{6,7})"  # RE2 reads it too
)
"""The digits of a Japanese number as it is called from within Japan: landline, mobile or IP, toll-free."""

ABROAD: Final = (r"^(?:\+81|0081|01081|01181)0?", "^81([5789]0[0-9]{8})$")
"""How the same number begins when it is called from elsewhere; without `+` and exit code it is a mobile one."""

_FEWEST_ABROAD, _MOST = 8, 17
_MOBILE_FROM_ABROAD: Final = 12
"""Digits of a mobile number after 81."""
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
_IS_NEAR: Final = np.zeros(256, np.bool_)
_IS_NEAR[list(b" .-()/~_\t\r\n\v\f\x1f\xe2")] = True
"""What `_NEAR` matches."""
_FRACTION: Final = re.compile(rb"[0-9]{1,3}\.[0-9]{5,}")
_ONE_NUMBER: Final = re.compile(rb"[ \t]*\+?[0-9 .\-()\[\]/_~\t\r\n\v\f\x1f]+")
_BEFORE_NUMBER: Final = np.zeros(256, np.bool_)
_BEFORE_NUMBER[list(b" +.-()[]/_~\t\r\n\v\f\x1f")] = True
"""What stands before the first digit of a value that `_ONE_NUMBER` matches."""
_NATIONAL: Final = re.compile(NATIONAL)
_ABROAD: Final = tuple(re.compile(prefix) for prefix in ABROAD)


def find_phones(text: Plain, groups: Groups) -> Iterator[tuple[int, int, int]]:
    """Yields (row, start, end) of every phone number, in positions of the plain text."""
    after_plus = _after_plus(text, groups)
    candidates = _candidates(text, groups, after_plus)
    starts, rows = groups.starts[candidates].tolist(), groups.rows[candidates].tolist()
    for row, start, plus in zip(rows, starts, after_plus[candidates].tolist(), strict=True):
        end = _end_of_phone(text, row, start, after_plus=plus)
        if end and not inside_machine_text(text, row, start, end, SHORT_HASH):
            yield row, start, end
    yield from _whole_values(text, groups)


def _candidates(text: Plain, groups: Groups, after_plus: Mask) -> Positions:
    """Returns the groups with which a phone number may begin, by its first three digits and how many follow."""
    first = groups.first_digits
    begins = np.flatnonzero(((first == 0) | (first == 8)) & (groups.lengths <= _MOST))  # noqa: PLR2004 - 81
    begins = begins[groups.first_digit[begins] + 3 <= len(groups.digits)]
    begins = begins[(groups.lengths[begins] <= FEWEST_DIGITS + 1) | _goes_abroad(groups, begins)]
    three = pack(gather(groups.digits, groups.first_digit[begins], 3), 10)
    landline = _in_groups_of_landlines(groups, begins) & (three >= 10) & (three < 100)  # noqa: PLR2004 - 01 to 09
    parted = (groups.lengths[begins] == 2) & ~_IS_NEAR[_after(text, groups, begins)]  # noqa: PLR2004 - 09:0
    mobile_or_free = _MOBILE_OR_FREE_BEGINS[three] & ~parted
    domestic = _of_ten_or_eleven(groups, begins[mobile_or_free | landline])
    abroad = begins[(three // 10 == 81) | _after_exit_code(text, groups, begins, three)]  # noqa: PLR2004 - 81
    with_plus = np.flatnonzero(after_plus & (groups.lengths <= _MOST))
    found = (domestic, _with_more(groups, abroad, FEWEST_DIGITS + 1), _with_more(groups, with_plus, _FEWEST_ABROAD))
    return np.unique(np.concatenate(found))


def _goes_abroad(groups: Groups, begins: Positions) -> Mask:
    """Flags the groups that may begin with Japan's country code, or with it after 00, 010 or 011."""
    found: Mask = groups.first_digits[begins] == 8  # noqa: PLR2004 - 81
    last = len(groups.digits) - 1
    for digits in (2, 3):
        found |= groups.digits[np.minimum(groups.first_digit[begins] + digits, last)] == 8  # noqa: PLR2004 - 81
    return found


def _in_groups_of_landlines(groups: Groups, begins: Positions) -> Mask:
    """Flags the groups that are ten digits, or two to five with one or two groups after them as landlines have."""
    lengths = np.append(groups.lengths, (0, 0))
    first, second, third = lengths[begins], lengths[begins + 1], lengths[begins + 2]
    area = (first >= 2) & (first <= 5)  # noqa: PLR2004 - 03 to 09969
    at_once = (second >= 5) & (first + second >= FEWEST_DIGITS)  # noqa: PLR2004 - 12345678, else 1234-5678
    found: Mask = (first == FEWEST_DIGITS) | area & (at_once | (third == 4))  # noqa: PLR2004
    return found


def _after_exit_code(text: Plain, groups: Groups, begins: Positions, three: npt.NDArray[np.uint64]) -> Mask:
    """Flags the groups that are 00, 010 or 011 with a sign after them, or that begin so and go on with 81."""
    code = np.select([three < 10, (three == 10) | (three == 11)], [2, 3], 0)  # noqa: PLR2004 - 00, 010, 011
    lengths, first = groups.lengths[begins], groups.first_digit[begins]
    found: Mask = (code > 0) & (lengths == code) & _IS_NEAR[_after(text, groups, begins)]
    room = np.flatnonzero((code > 0) & (lengths > code) & (first + 5 <= len(groups.digits)))
    at = first[room] + code[room]
    found[room] |= (groups.digits[at] == 8) & (groups.digits[at + 1] == 1)  # noqa: PLR2004 - 81
    return found


def _after(text: Plain, groups: Groups, begins: Positions) -> Bytes:
    """Returns the sign after each of the groups; any where nothing stands there."""
    signs: Bytes = text.data[np.minimum(groups.ends[begins], len(text.data) - 1)]
    return signs


def _of_ten_or_eleven(groups: Groups, begins: Positions) -> Positions:
    """Returns the groups that are a number of ten or eleven digits, alone or with up to three groups after them."""
    total = groups.lengths[begins]
    found = (total >= FEWEST_DIGITS) & (total <= FEWEST_DIGITS + 1)
    left = np.flatnonzero(total < FEWEST_DIGITS)
    for step in range(1, _MOST_GROUPS):
        left = left[begins[left] + step < len(groups.lengths)]
        left = left[groups.linked[begins[left] + step]]
        total[left] += groups.lengths[begins[left] + step]
        found[left] = (total[left] >= FEWEST_DIGITS) & (total[left] <= FEWEST_DIGITS + 1)
        left = left[total[left] < FEWEST_DIGITS]
    return begins[found]


def _with_more(groups: Groups, begins: Positions, fewest: int) -> Positions:
    """Returns the groups that have at least so many digits together with those after them in their chain."""
    total, last = groups.lengths[begins], begins.copy()
    left = np.flatnonzero(total < fewest)
    while len(left):
        last[left] += 1
        left = left[last[left] < len(groups.lengths)]
        left = left[groups.linked[last[left]]]
        total[left] += groups.lengths[last[left]]
        left = left[total[left] < fewest]
    return begins[total >= fewest]


def _after_plus(text: Plain, groups: Groups) -> Mask:
    """Flags the groups right after a plus sign, or after one and a bracket or a space."""
    if not text.holds(b"+"):
        return np.zeros(len(groups.starts), np.bool_)
    before = text.data[groups.starts - 1]
    earlier = text.data[groups.starts - 2]
    room = groups.starts - text.offsets[groups.rows]
    loose = ((before == ord(" ")) | (before == ord("("))) & (room > 1)
    found: Mask = (room > 0) & ((before == ord("+")) | (loose & (earlier == ord("+"))))
    return found


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
    if not found:
        return 0
    end = start + found.end()
    return 0 if not found.group().isdigit() and is_in_date(text, row, start, end) else end  # a date is parted


def _whole_values(text: Plain, groups: Groups) -> Iterator[tuple[int, int, int]]:
    """Yields the rows that are nothing but one number which `jp_phone` reads, wherever its separators stand."""
    begins = np.flatnonzero(np.diff(groups.rows, prepend=-1))
    if len(begins) == len(groups.rows):
        return
    totals = np.add.reduceat(groups.lengths, begins)
    likely = (np.diff(begins, append=len(groups.rows)) > 1) & (totals >= FEWEST_DIGITS) & (totals <= _MOST)
    first = groups.first_digits[begins]
    likely &= (first == 0) | (first == 8) & ((totals == _MOBILE_FROM_ABROAD) | text.holds(b"+"))  # noqa: PLR2004 - 81
    begins = begins[likely]
    starts, rows = groups.starts[begins], groups.rows[begins]
    alone = (starts == text.offsets[rows]) | _BEFORE_NUMBER[text.data[starts - 1]]
    for row in rows[alone].tolist():
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
