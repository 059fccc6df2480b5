"""Knows what only looks like a personal number: parts of UUIDs, hashes, tokens, decimal fractions, dates.

A staged table may hold millions of these, and one in some hundreds would fit a check digit by chance. Each rule is
narrow: it names a shape in which nobody writes a card number.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from masking.leaks.spelling import Plain

_COLONS = 6
_AROUND = 80
"""Bytes looked at on either side of a number; the longest shape that has to be seen whole is a UUID."""

_NOT_IN_WORD = rb"(?<![0-9A-Za-z])"
_END_OF_WORD = rb"(?![0-9A-Za-z])"
_UUID = re.compile(_NOT_IN_WORD + rb"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}" + _END_OF_WORD)
_HEX = re.compile(_NOT_IN_WORD + rb"(?:0x)?([0-9a-fA-F]{16,})" + _END_OF_WORD)
_OWN_TOKEN = re.compile(rb"k[0-9]+_[0-9a-f]{32,}")
_HEX_LETTER = re.compile(rb"[a-fA-F]")
_NOT_ONLY_DIGITS = re.compile(rb"[a-fA-Fk.:]")
"""What each of these shapes has in it besides digits, so that most numbers are told from them by one look."""


class Hash(NamedTuple):
    """How long a run of hexadecimal digits is, and how many letters it has, to be taken for an id or a hash."""

    digits: int
    letters: int


LONG_HASH = Hash(32, 5)
"""For card numbers, which must not be missed: track data in hexadecimal has two letters, a hash of 32 digits twelve."""

SHORT_HASH = Hash(16, 3)
"""For phones and My Number, which nobody writes between hexadecimal letters."""

_DECIMAL = re.compile(rb"(?<![0-9.])([0-9]+)\.([0-9]+)(?:[eE][+-]?[0-9]+)?(?![0-9.])")
_BEFORE_NUMBER = re.compile(rb"(?:^|[\[,:{]) *[+-]?$")
_AFTER_NUMBER = re.compile(rb" *(?:[\],}]|$)")
_BESIDE_DECIMAL = re.compile(rb"[0-9]\.[0-9]+[ ,]+[+-]?$"), re.compile(rb"[ ,]+[+-]?[0-9]+\.[0-9]")

_LONG_FRACTION = re.compile(rb"(?<![0-9.])[0-9]+\.[0-9]{5,}(?![0-9.])")
"""A decimal number; four digits after a dot may be the first group of a card number after `1.`"""

_IPV6 = re.compile(
    rb"(?<![0-9A-Za-z:])(?:(?:[0-9a-fA-F]{1,4}:){6,7}[0-9a-fA-F]{1,4}"
    rb"|(?:[0-9a-fA-F]{1,4}:){1,7}(?::[0-9a-fA-F]{1,4}){0,6}:?|:(?::[0-9a-fA-F]{1,4}){1,7})(?![0-9A-Za-z])"
)

_DATE = re.compile(
    rb"(?<![0-9])(?:(?:19|20)[0-9]{2}([-/.])(?:0[1-9]|1[0-2])\1(?:0[1-9]|[12][0-9]|3[01])"
    rb"|(?:0[1-9]|[12][0-9]|3[01])([-/.])(?:0[1-9]|[12][0-9]|3[01])\2(?:19|20)[0-9]{2})(?![0-9])"
)
_PHONE = re.compile(
    rb"(?<![0-9])(?:0[25-9]0([-. ])[0-9]{4}\1[0-9]{4}"
    rb"|0(?=[0-9-]{11}(?![0-9]))[1-9][0-9]{0,3}-[0-9]{1,4}-[0-9]{4})(?![0-9])"
)


def inside_machine_text(text: Plain, row: int, start: int, end: int, hashes: Hash = LONG_HASH) -> bool:
    """Tells whether the digits are part of a UUID, a hash, a token, an IPv6 address or the fraction of a number."""
    base = max(start - _AROUND, text.start_of(row))
    around = text.piece(row, base, end + _AROUND)
    if around.isdigit() or not _NOT_ONLY_DIGITS.search(around):
        return False
    start, end = start - base, end - base
    if b":" in around and any(_is_ipv6(found) and _overlap(found, start, end) for found in _IPV6.finditer(around)):
        return True
    for found in _UUID.finditer(around):
        if _overlap(found, start, end) and _HEX_LETTER.search(found.group()):
            return True
    for found in _HEX.finditer(around):
        run = found.group(1)
        if (
            _overlap(found, start, end)
            and len(run) >= hashes.digits
            and len(_HEX_LETTER.findall(run)) >= hashes.letters
        ):
            return True
    if any(_overlap(found, start, end) for found in _OWN_TOKEN.finditer(around)):
        return True
    return any(
        found.start(2) <= start and end <= found.end(2) and _is_number(around, found)
        for found in _DECIMAL.finditer(around)
    )


def _is_ipv6(found: re.Match[bytes]) -> bool:
    """Tells an IPv6 address, shortened or of seven or eight parts, from a few numbers between colons."""
    return b"::" in found.group() or found.group().count(b":") >= _COLONS


def _is_number(around: bytes, found: re.Match[bytes]) -> bool:
    """Tells a decimal number (0.41, a whole value, a JSON number) from a numbered list entry such as `1.4111…`."""
    if found.group(1) == b"0":  # with more zeros it is rather the end of a phone number, and a card number after a dot
        return True
    before, after = around[: found.start()], around[found.end() :]
    if _BEFORE_NUMBER.search(before) and _AFTER_NUMBER.match(after):
        return True
    beside = _BESIDE_DECIMAL[0].search(before) or _BESIDE_DECIMAL[1].match(after)  # coordinates: 35.68… 139.76…
    return beside is not None and len(found.group(1)) > 1


def crosses_another(text: Plain, row: int, start: int, end: int) -> bool:
    """Tells whether a window holds digits of a date, phone or decimal number, so that it is no single number."""
    base = max(start - _AROUND, text.start_of(row))
    around = text.piece(row, base, end + _AROUND)
    start, end = start - base, end - base
    shapes = (_DATE, _PHONE, _LONG_FRACTION)
    return any(_overlap(found, start, end) for shape in shapes for found in shape.finditer(around))


def is_in_date(text: Plain, row: int, start: int, end: int) -> bool:
    """Tells whether a window holds digits of a date."""
    base = max(start - _AROUND, text.start_of(row))
    around = text.piece(row, base, end + _AROUND)
    return any(_overlap(found, start - base, end - base) for found in _DATE.finditer(around))


def _overlap(found: re.Match[bytes], start: int, end: int) -> bool:
    return found.start() < end and start < found.end()
