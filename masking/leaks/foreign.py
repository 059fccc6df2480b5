"""Finds digits and at signs beyond ASCII in UTF-8 without decoding it: by a first byte and the two bytes after it.

Source: RFC 3629, section 3. Most scripts have first bytes that no digit has: kana and ideographs cost one search each.
"""

from __future__ import annotations

from functools import cache

import numpy as np

from masking.leaks.marks import Bytes, Mask, Positions
from masking.leaks.signs import sign_table

_LOW_SIX_BITS = 0x3F
_SIX_BITS = 64


def foreign_digits(data: Bytes, raw: bytes) -> Positions:
    """Returns where digits beyond ASCII may begin; `raw` holds the same bytes."""
    return _places(data, raw, b"0123456789")


def foreign_at_signs(data: Bytes, raw: bytes) -> Positions:
    """Returns where at signs beyond ASCII may begin; `raw` holds the same bytes."""
    return _places(data, raw, b"@")


def _places(data: Bytes, raw: bytes, read_as: bytes) -> Positions:
    found = [np.empty(0, np.int64)]
    last = len(data) - 1
    for first, goes_on in _first_bytes(read_as).items():
        if first in raw:
            at = np.flatnonzero(data == first[0])
            second, third = data[np.minimum(at + 1, last)], data[np.minimum(at + 2, last)]
            found.append(at[goes_on[second & _LOW_SIX_BITS, third & _LOW_SIX_BITS]])
    return np.concatenate(found)


@cache
def _first_bytes(read_as: bytes) -> dict[bytes, Mask]:
    """Returns, by the first byte of signs that are read so, what the low bits of the next two are: bool (64, 64)."""
    tables: dict[bytes, Mask] = {}
    for code in np.flatnonzero(np.isin(sign_table(), list(read_as))).tolist():
        first, second, *rest = chr(code).encode()
        table = tables.setdefault(bytes([first]), np.zeros((_SIX_BITS, _SIX_BITS), np.bool_))
        table[second & _LOW_SIX_BITS, rest[0] & _LOW_SIX_BITS if rest else slice(None)] = True
    return tables
