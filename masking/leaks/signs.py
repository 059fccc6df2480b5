"""What each sign of Unicode is to somebody who looks for numbers and addresses: one byte a sign.

Every decimal digit of any script is its ASCII digit; invisible signs and marks on other signs are nothing; spaces,
hyphens, dots and at signs of any width are the ASCII ones; letters are letters, and everything else parts numbers.
Source: the Unicode Character Database's general categories, as Python's `unicodedata` has them.
"""

from __future__ import annotations

import unicodedata
from functools import cache
from typing import Final

import numpy as np
import numpy.typing as npt

LETTER: Final = 0xE1
"""Stands for a letter beyond ASCII."""

SYMBOL: Final = 0xE2
"""Stands for a picture, such as an emoji: it parts numbers, and an e-mail address may hold it."""

SIGN: Final = 0x1F
"""Stands for any other sign beyond ASCII, such as a bracket: it parts numbers and addresses."""

NOTHING: Final = 0
"""What is invisible, or a mark on the sign before it."""

_TABLE_ENDS: Final = 0x20000
_INVISIBLE_PLANE: Final = range(0xE0000, 0xE0200)
_ASCII_ENDS: Final = 0x80
_ONLY_LETTERS: Final = (
    range(0x3400, 0xA000),
    range(0xAC00, 0xD7A4),
    range(0xD800, 0xF900),
    range(0x17000, 0x18D00),
)
"""Ideographs, hangul, and what no text holds: no need to ask for each of them."""

_HYPHENS: Final = frozenset("\u2043\u2212\u2500\u2501\u30fc\uff70")
_DOTS: Final = frozenset("\u00b7\u2022\u2024\u2027\u2219\u22c5\u3002\u30fb\uff61\uff65")
_FILLERS: Final = frozenset("\u115f\u1160\u3164\uffa0")
"""Letters of hangul that show nothing."""
_BY_CATEGORY: Final = {
    "Cf": NOTHING,
    "Mn": NOTHING,
    "Me": NOTHING,
    "Zs": ord(" "),
    "Zl": ord("\n"),
    "Zp": ord("\n"),
    "Cc": ord(" "),
    "Pd": ord("-"),
    "So": SYMBOL,
    "Sk": SYMBOL,
}
_SIGNS: Final = frozenset({"Pc", "Ps", "Pe", "Pi", "Pf", "Po", "Sm", "Sc"})


@cache
def sign_table() -> npt.NDArray[np.uint8]:
    """Returns what each code point below U+20000 is, uint8; made when the first sign beyond ASCII is met."""
    table = np.full(_TABLE_ENDS, LETTER, np.uint8)
    code = _ASCII_ENDS
    while code < _TABLE_ENDS:
        block = next((block for block in _ONLY_LETTERS if code in block), None)
        if block is not None:
            code = block.stop
            continue
        table[code] = _read(chr(code))
        code += 1
    return table


def signs_of(codes: npt.NDArray[np.int64]) -> npt.NDArray[np.uint8]:
    """Returns one byte for each code point beyond ASCII: uint8, as long."""
    signs: npt.NDArray[np.uint8] = sign_table()[np.minimum(codes, _TABLE_ENDS - 1)]
    far = codes >= _TABLE_ENDS
    if far.any():
        invisible = (codes >= _INVISIBLE_PLANE.start) & (codes < _INVISIBLE_PLANE.stop)
        signs[far] = np.where(invisible, NOTHING, LETTER)[far]
    return signs


def _read(sign: str) -> int:
    if sign in _FILLERS:
        return NOTHING
    digit = unicodedata.decimal(sign, None)
    if digit is not None:
        return ord("0") + int(digit)
    if sign in _HYPHENS:
        return ord("-")
    if sign in _DOTS:
        return ord(".")
    category = unicodedata.category(sign)
    folded = unicodedata.normalize("NFKC", sign)
    if len(folded) == 1 and folded.isascii() and category != "No":  # a raised or circled digit is a note, no digit
        return ord(folded)
    return _BY_CATEGORY.get(category, SIGN if category in _SIGNS else LETTER)
