"""Brings different spellings of one value together before a key is applied: `４１１１-…` and `4111…` meet in one token.

Steps run in the order the contract lists them. A value that a step cannot read (a phone number without digits) becomes
null, and whoever calls counts it: see `masking.rows.lost`.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Mapping, Sequence
from typing import Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from masking.kernels.buffers import ByteStrings, Flags
from masking.kernels.digits import digits_of
from masking.leaks.phones import ABROAD, NATIONAL
from masking.leaks.signs import SIGN
from masking.leaks.spelling import plain

Normalizer = Literal["nfkc", "digits", "lower", "trim", "jp_phone", "jp_postal", "kana", "email"]

SEPARATORS = "\\s.\\-\u00ad\u2010-\u2015\u2212\u30fc\u200b\ufeff"
"""RE2 character class of what people put between digits, after NFKC: spaces, dots, hyphens, dashes, minus, chōon."""

_BEYOND_ASCII = 0x80
_KATAKANA = {code: code + 0x60 for code in range(0x3041, 0x3097)} | {0x309D: 0x30FD, 0x309E: 0x30FE}


def normalize(texts: pa.Array, steps: Sequence[Normalizer]) -> pa.Array:
    """Returns the texts after all steps; nulls stay null, and values that a step cannot read become null."""
    for step in steps:
        texts = _STEPS[step](texts)
    return texts


def nfkc(texts: pa.Array) -> pa.Array:
    """Folds full-width, half-width and compatibility forms (Unicode NFKC)."""
    if pc.all(pc.string_is_ascii(texts), min_count=0).as_py():
        return texts
    # Arrow's own NFKC leaves letters and their marks apart (ガ as カ and a mark), as NFKD would.
    return _of_distinct(texts, lambda text: unicodedata.normalize("NFKC", text))


def lower(texts: pa.Array) -> pa.Array:
    """Folds upper case to lower case."""
    return pc.utf8_lower(texts)


def trim(texts: pa.Array) -> pa.Array:
    """Drops white space at both ends, the ideographic space too."""
    return pc.utf8_trim_whitespace(texts)


def digits(texts: pa.Array) -> pa.Array:
    """Keeps the digits of a number written with separators or in full width; anything else in it is not read."""
    kept, strange = digits_of(ByteStrings.from_arrow(texts))
    if strange.any():
        kept, strange = digits_of(ByteStrings.from_arrow(_read_anew(texts, strange)))
    unread = strange | (kept.lengths == 0)
    valid = ~unread if kept.valid is None else kept.valid & ~unread
    bitmap = pa.py_buffer(np.packbits(valid, bitorder="little"))
    parts = [bitmap, pa.py_buffer(kept.offsets), pa.py_buffer(kept.data)]
    return pa.Array.from_buffers(pa.large_string(), len(kept), parts)


def jp_phone(texts: pa.Array) -> pa.Array:
    """Returns a Japanese phone number as its 10 or 11 national digits: `+81 (0)90-1234-5678` becomes `09012345678`."""
    national = _national(texts)
    unread = pc.fill_null(pc.and_(national.is_null(), texts.is_valid()), fill_value=False)
    if not pc.any(unread, min_count=0).as_py():
        return national
    return pc.if_else(unread, _national(_read_anew(texts, unread.to_numpy(zero_copy_only=False))), national)


def _national(texts: pa.Array) -> pa.Array:
    """Returns the national digits of Japanese phone numbers, null where there is none; 0.9 is a fraction."""
    number = pc.replace_substring_regex(bare(texts), r"[()\[\]/]", "")
    for prefix, instead in ((ABROAD[0], "0"), (ABROAD[1], r"0\1")):
        number = pc.replace_substring_regex(number, prefix, instead)
    fraction = pc.match_substring_regex(texts, r"^\s*0\.")
    return pc.if_else(pc.invert(fraction), _only(number, f"^{NATIONAL}$"), pa.scalar(None, number.type))


def _read_anew(texts: pa.Array, rows: Flags) -> pa.Array:
    """Returns the texts with those rows read as the leak gate reads them: other digits, escapes, wider separators."""
    chosen = np.flatnonzero(rows)
    read = plain(texts.take(pa.array(chosen)).cast(pa.large_string()), decoded=True)
    spelled = np.where((read.data == SIGN) | (read.data == ord("~")), np.uint8(ord("-")), read.data)
    spelled[spelled >= _BEYOND_ASCII] = ord("x")  # a letter stays one, and unread
    parts = [None, pa.py_buffer(read.offsets.astype(np.int64)), pa.py_buffer(spelled)]
    anew = pa.Array.from_buffers(pa.large_string(), len(chosen), parts).cast(texts.type)
    return pc.replace_with_mask(texts, pa.array(rows), anew)


def jp_postal(texts: pa.Array) -> pa.Array:
    """Returns a Japanese postal code as its seven digits: `〒150-0001` becomes `1500001`."""
    return _only(pc.replace_substring_regex(bare(texts), r"^〒", ""), r"^[0-9]{7}$")


def kana(texts: pa.Array) -> pa.Array:
    """Folds half-width and hiragana to katakana and drops white space: `ﾔﾏﾀﾞ たろう` becomes `ヤマダタロウ`."""
    joined = pc.replace_substring_regex(nfkc(texts), r"\s+", "")
    return _of_distinct(joined, lambda text: text.translate(_KATAKANA))


def email(texts: pa.Array) -> pa.Array:
    """Returns an e-mail address folded, trimmed and in lower case; without one @ between two parts it is not read."""
    dotted = pc.replace_substring(lower(trim(nfkc(texts))), "\u3002", ".")
    return _only(dotted, r"^[^\s@]+@[^\s@]+$")


def bare(texts: pa.Array) -> pa.Array:
    """Folds to NFKC and drops separators."""
    return pc.replace_substring_regex(nfkc(texts), f"[{SEPARATORS}]+", "")


def _of_distinct(texts: pa.Array, change: Callable[[str], str]) -> pa.Array:
    """Changes every distinct text that is not ASCII; `change` leaves ASCII as it is."""
    distinct = texts.dictionary_encode()
    changed = [text if text.isascii() else change(text) for text in distinct.dictionary.to_pylist()]
    return pa.array(changed, texts.type).take(distinct.indices)


def _only(texts: pa.Array, pattern: str) -> pa.Array:
    return pc.if_else(pc.match_substring_regex(texts, pattern), texts, pa.scalar(None, texts.type))


_STEPS: Mapping[Normalizer, Callable[[pa.Array], pa.Array]] = {
    "nfkc": nfkc,
    "digits": digits,
    "lower": lower,
    "trim": trim,
    "jp_phone": jp_phone,
    "jp_postal": jp_postal,
    "kana": kana,
    "email": email,
}
