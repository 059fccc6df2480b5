r"""Reads what machines write around signs: percent and form encoding, JSON and Unicode escapes, HTML.

A text is read up to three times over, because an escape may stand inside another: `%255Cu0034` is `%5Cu0034` is
`\u0034` is 4. Each reading looks at every byte a fixed number of times. Base64, quoted-printable, encryption,
compression and pictures are not read: whatever they hold, they hold it for machines, and a guess at every run of
letters would take most words of a text for something.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from html.entities import html5
from typing import Final

import numpy as np
import numpy.typing as npt

from masking.leaks.marks import Bytes, Mask, Positions
from masking.leaks.runs import FEWEST_DIGITS

DEEPEST: Final = 3
"""Readings, so escapes within escapes within escapes are seen."""

Codes = npt.NDArray[np.int64]

_NOT_HEX: Final = 255
_HEX: Final = np.full(256, _NOT_HEX, np.uint8)
for _digit in b"0123456789abcdefABCDEF":
    _HEX[_digit] = int(chr(_digit), 16)
_BACKSLASH, _PERCENT, _AMPERSAND, _LESS, _MORE, _AT = b"\\%&<>@"
_ZERO: Final = np.uint8(ord("0"))
_SHORT: Final = {ord("n"): "\n", ord("r"): "\r", ord("t"): "\t", ord("v"): "\v", ord("f"): "\f", ord("b"): "\b"}
_ENTITY: Final = re.compile(
    rb"&(?:#(?:[xX](?P<hex>[0-9a-fA-F]{1,8})|(?P<number>[0-9]{1,8}));?|(?P<name>[A-Za-z][A-Za-z0-9]{1,31};))"
)
_BRACED: Final = re.compile(rb"\\[ux]\{(?P<braced>[0-9a-fA-F]{1,8})\}|\\U(?P<long>[0-9a-fA-F]{8})")
_PERCENT_U: Final = re.compile(rb"%u(?P<hex>[0-9a-fA-F]{4})")
_LONGEST_TAG: Final = 256
_LAST_CODE: Final = 0x10FFFF
_RAW: Final = 1 << 24
"""Added to what `\\xe5` spells: a byte, several of which may be one sign in UTF-8."""
_HIGH, _LOW, _AFTER_LOW, _BEYOND = 0xD800, 0xDC00, 0xE000, 0x10000


@dataclass(frozen=True)
class Decoded:
    """Strings in some reading; `origin` tells for each byte where it was in the first one, None: nothing moved."""

    data: Bytes = field(repr=False)
    offsets: Positions = field(repr=False)
    origin: Positions | None = field(repr=False)

    def replaced(self, starts: Positions, ends: Positions, parts: Bytes, widths: Positions) -> Decoded:
        """Returns the text with each span, in order, replaced by the first `widths` bytes of its row of `parts`."""
        edges = np.zeros(len(self.data) + 1, np.int8)
        edges[starts] += 1
        edges[ends] -= 1
        kept = np.flatnonzero(np.add.accumulate(edges[:-1], dtype=np.int8) == 0)
        fresh = np.repeat(starts, widths)
        if len(fresh):
            kept = np.insert(kept, np.searchsorted(kept, fresh), fresh)
        data = self.data[kept]
        at = np.searchsorted(kept, starts)
        for step in range(parts.shape[1]):
            wide = widths > step
            data[at[wide] + step] = parts[wide, step]
        offsets = np.searchsorted(kept, self.offsets)
        return Decoded(data, offsets, kept if self.origin is None else self.origin[kept])

    def rows_of(self, positions: Positions) -> Positions:
        """Returns the row of each position."""
        rows: Positions = np.searchsorted(self.offsets, positions, "right") - 1
        return rows

    def ends_of(self, positions: Positions) -> Positions:
        """Returns where the row of each position ends."""
        return self.offsets[np.searchsorted(self.offsets, positions, "right")]


def unescaped(text: Decoded) -> Decoded:
    """Returns the text as whoever decodes it reads it; it comes back itself where it holds no escape."""
    for _ in range(DEEPEST):
        before = text
        for mark, read in _READERS:
            if (text.data == mark).any():
                text = read(text)
        if text is before:
            break
    return _tags(text)


def _percent(text: Decoded) -> Decoded:
    """Reads `%34` as one byte, several of them as UTF-8 (RFC 3986, section 2.1), and JavaScript's `%uff14`."""
    encoded = text.rows_of(np.flatnonzero(text.data == _PERCENT))
    text = _spaces_of_forms(_matched(text, _PERCENT_U), encoded)
    at = np.flatnonzero(text.data == _PERCENT)
    values, fits = _hex(text, at + 1, 2)
    at, values = at[fits], values[fits]
    if not len(at):
        return text
    return text.replaced(at, at + 3, values.astype(np.uint8)[:, None], np.ones(len(at), np.int64))


def _spaces_of_forms(text: Decoded, encoded: Positions) -> Decoded:
    """Reads a plus behind a digit as the space that form encoding means by it, in rows that are encoded so."""
    pluses = np.flatnonzero(text.data == ord("+"))
    if not len(pluses):
        return text
    rows = text.rows_of(pluses)
    meant = (pluses > text.offsets[rows]) & np.isin(rows, encoded)
    pluses = pluses[meant & ((text.data[pluses - 1] - _ZERO) < 10)]  # noqa: PLR2004 - ten digits
    if not len(pluses):
        return text
    data = text.data.copy()
    data[pluses] = ord(" ")
    return Decoded(data, text.offsets, text.origin)


def _backslash(text: Decoded) -> Decoded:
    r"""Reads `\uff14`, `\x34` and `\n` (RFC 8259, section 7; the same in most languages)."""
    text = _matched(text, _BRACED)
    data = text.data
    at = np.flatnonzero(data == _BACKSLASH)
    at = at[at + 1 < text.ends_of(at)]
    again = data[at + 1] == _BACKSLASH  # only the last one of several begins an escape
    kind = data[at + 1]
    starts, lengths, codes = [at[again]], [np.ones(int(again.sum()), np.int64)], [np.full(int(again.sum()), -1)]
    for letter, digits in ((ord("u"), 4), (ord("x"), 2)):
        chosen = at[kind == letter]
        values, fits = _hex(text, chosen + 2, digits)
        starts.append(chosen[fits])
        lengths.append(np.full(int(fits.sum()), 2 + digits))
        codes.append(values[fits] + (_RAW if letter == ord("x") else 0))
    for letter, sign in _SHORT.items():
        chosen = at[kind == letter]
        starts.append(chosen)
        lengths.append(np.full(len(chosen), 2))
        codes.append(np.full(len(chosen), ord(sign)))
    order = np.argsort(np.concatenate(starts), kind="stable")
    first, length, code = (np.concatenate(parts)[order] for parts in (starts, lengths, codes))
    if not len(first):
        return text
    code, length, dropped = _joined_surrogates(first, length, code, text.ends_of(first))
    return _with_codes(text, first[~dropped], (first + length)[~dropped], code[~dropped])


def _joined_surrogates(
    first: Positions, length: Positions, code: Codes, ends: Positions
) -> tuple[Codes, Positions, Mask]:
    """Joins a high and the low surrogate right after it in its row to one code point; flags the second one."""
    dropped = np.zeros(len(first), np.bool_)
    pairs = np.flatnonzero(
        (code[:-1] >= _HIGH)
        & (code[:-1] < _LOW)
        & (code[1:] >= _LOW)
        & (code[1:] < _AFTER_LOW)
        & (first[:-1] + length[:-1] == first[1:])
        & (first[1:] < ends[:-1])
    )
    code, length = code.copy(), length.copy()
    code[pairs] = _BEYOND + ((code[pairs] - _HIGH) << 10) + code[pairs + 1] - _LOW
    length[pairs] += length[pairs + 1]
    dropped[pairs + 1] = True
    return code, length, dropped


def _entities(text: Decoded) -> Decoded:
    """Reads `&#64;`, `&#x40;` and `&commat;` (HTML 13.5)."""
    return _matched(text, _ENTITY)


def _tags(text: Decoded) -> Decoded:
    """Reads a tag of HTML, such as `<br>`, as a line break, and one within a line, such as `<b>`, as nothing.

    A tag that itself holds an address or a long number is read as it is.
    """
    opens = np.flatnonzero(text.data == _LESS)
    opens = opens[opens + 1 < text.ends_of(opens)]
    after = text.data[opens + 1]
    opens = opens[(((after | 0x20) - np.uint8(ord("a"))) < 26) | (after == ord("/"))]  # noqa: PLR2004 - 26 letters
    closes = np.flatnonzero(text.data == _MORE)
    if not len(opens) or not len(closes):
        return text
    ends = closes[np.minimum(np.searchsorted(closes, opens), len(closes) - 1)] + 1
    fits = (ends > opens) & (ends <= text.ends_of(opens)) & (ends - opens <= _LONGEST_TAG)
    fits[:-1] &= opens[1:] >= ends[:-1]
    opens, ends = opens[fits], ends[fits]
    telling = np.where(text.data == _AT, FEWEST_DIGITS, (text.data - _ZERO) < 10)  # noqa: PLR2004 - ten digits
    so_far = np.append(0, np.cumsum(telling))
    fits = so_far[ends] - so_far[opens] < FEWEST_DIGITS
    opens, ends = opens[fits], ends[fits]
    if not len(opens):
        return text
    parts = np.full((len(opens), 1), ord("\n"), np.uint8)
    name = opens + 1 + (text.data[opens + 1] == ord("/"))
    second = text.data[np.minimum(name + 1, len(text.data) - 1)] | 0x20
    within = ~np.isin(text.data[name] | 0x20, list(b"dhlopt")) & (second != ord("r"))
    return text.replaced(opens, ends, parts, (~within).astype(np.int64))


_READERS: Final[tuple[tuple[int, Callable[[Decoded], Decoded]], ...]] = (
    (_PERCENT, _percent),
    (_BACKSLASH, _backslash),
    (_AMPERSAND, _entities),
)
"""By the byte that every escape of the kind begins with."""


def _hex(text: Decoded, at: Positions, digits: int) -> tuple[Codes, Mask]:
    """Returns the number that so many hexadecimal digits at each position spell, and where they do and end in a row."""
    fits = at + digits <= text.ends_of(at - 1)
    values = np.zeros(len(at), np.int64)
    inside = at[fits]
    found = np.zeros(len(inside), np.int64)
    spelled = np.ones(len(inside), np.bool_)
    for step in range(digits):
        digit = _HEX[text.data[inside + step]]
        spelled &= digit != _NOT_HEX
        found = found << 4 | digit
    values[fits] = found
    fits[fits] = spelled
    return values, fits


def _matched(text: Decoded, pattern: re.Pattern[bytes]) -> Decoded:
    """Reads what a regular expression finds; each group of it but `name` and `number` is a hexadecimal code point."""
    raw = text.data.tobytes()
    matches = list(pattern.finditer(raw))
    if not matches:
        return text
    ends_of_rows = text.ends_of(np.array([match.start() for match in matches])).tolist()
    found = [
        (match.start(), match.end(), _code(match))
        for whole, end in zip(matches, ends_of_rows, strict=True)
        if (match := whole if whole.end() <= end else pattern.match(raw, whole.start(), end))
    ]
    starts, ends, codes = np.array(found, np.int64).reshape(-1, 3).T
    fits = (codes >= 0) & (codes <= _LAST_CODE)
    return _with_codes(text, starts[fits], ends[fits], codes[fits]) if fits.any() else text


def _code(match: re.Match[bytes]) -> int:
    """Returns the code point of an escape; -1 where a name means nothing, or several signs."""
    for group, digits in match.groupdict().items():
        if digits is not None and group == "name":
            sign = html5.get(digits.decode(), "")
            return ord(sign) if len(sign) == 1 else -1
        if digits is not None:
            return int(digits, 10 if group == "number" else 16)
    return -1


def _with_codes(text: Decoded, starts: Positions, ends: Positions, codes: Codes) -> Decoded:
    """Returns the text with each span replaced by a code point in UTF-8; by nothing where it is below zero."""
    raw = codes >= _RAW
    widths = np.select([codes < 0, raw, codes < 0x80, codes < 0x800, codes < _BEYOND], [0, 1, 1, 2, 3], 4)  # noqa: PLR2004 - RFC 3629
    parts = np.zeros((len(codes), 4), np.uint8)
    parts[:, 0] = np.where(widths == 1, codes & 0xFF, 0)
    for width, lead in ((2, 0xC0), (3, 0xE0), (4, 0xF0)):
        chosen = widths == width
        parts[chosen, 0] = lead | codes[chosen] >> 6 * (width - 1)
        for step in range(1, width):
            parts[chosen, step] = 0x80 | (codes[chosen] >> 6 * (width - 1 - step)) & 0x3F
    return text.replaced(starts, ends, parts, widths.astype(np.int64))
