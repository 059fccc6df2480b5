"""Tells at memory speed which strings could hold a leak at all; everything else is looked at no further.

Every kind but e-mail needs ten digits close together, and e-mail needs an at sign. A suspect is a superset: the exact
rules (`windows`, `cards`, `phones`) decide about suspects only, after reading them as `spelling` does. Whatever is
asked of one byte alone is asked of `bytes`, which finds one many times quicker than a comparison of arrays.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pyarrow as pa

from masking.kernels.buffers import ByteStrings, keep_freed_memory
from masking.leaks.foreign import foreign_at_signs, foreign_digits
from masking.leaks.marks import (
    Bytes,
    Positions,
    escaping,
    hiding_at_sign,
    marks_of,
    within_escapes,
)
from masking.leaks.runs import digits_of, many_of, rows_of, rows_with_many, rows_with_runs
from masking.leaks.spelled import spelled_digits
from masking.leaks.tokens import are_only_tokens, own_tokens

LOT_BYTES = 1 << 18
"""Bytes of suspects that are handed on together."""

_PIECE_BYTES = 240_000
"""Bytes looked at in one go: small enough for the processor's cache."""

_BEYOND_ASCII = 0x80
_AT, _LESS = b"@<"
_AT_SIGN, _TAG = b"@", b"<"
_BEGINS_TOKEN = ord("k")
_NONE = np.empty(0, np.int64)


def suspects(strings: pa.Array) -> Iterator[Positions]:
    """Yields, lot by lot and in order, the rows of a string or binary array that could hold a leak."""
    keep_freed_memory()
    waiting: list[Positions] = []
    size = 0
    for first, piece in ByteStrings.pieces(strings, _PIECE_BYTES):
        rows = _NONE if _holds_tokens_only(piece.data, piece.offsets) else _suspects_of(piece.data, piece.offsets)
        rows = rows[~own_tokens(piece.data, piece.offsets, rows)] if len(rows) else rows
        if len(rows):
            waiting.append(rows + first)
            size += int((piece.offsets[rows + 1] - piece.offsets[rows]).sum())
        if size >= LOT_BYTES:
            yield np.concatenate(waiting)
            waiting, size = [], 0
    if waiting:
        yield np.concatenate(waiting)


def _holds_tokens_only(data: Bytes, offsets: Positions) -> bool:
    """Tells whether every row is empty or a token of ours, which it asks only of a piece that begins like one."""
    if not len(data):
        return True
    if data[0] != _BEGINS_TOKEN:
        return False
    return are_only_tokens(data, offsets)


def _suspects_of(data: Bytes, offsets: Positions) -> Positions:
    raw = data.tobytes()
    marks = escaping(raw)
    if data.max() < _BEYOND_ASCII:
        rows = rows_with_runs(data, offsets)
        if marks:
            rows = np.union1d(rows, _rows_behind_escapes(data, marks, offsets))
        at_signs = _at_signs(data, raw, marks)
    else:
        digits = digits_of(data)
        digits[foreign_digits(data, raw)] = True
        rows = rows_with_many(digits, offsets)
        at_signs = np.union1d(_at_signs(data, raw, marks), foreign_at_signs(data, raw))
    return np.union1d(rows, rows_of(at_signs, offsets)) if len(at_signs) else rows


def _rows_behind_escapes(data: Bytes, marks: tuple[bytes, ...], offsets: Positions) -> Positions:
    """Returns the rows of ASCII text that have ten digits close together once their escapes are read."""
    digits, begins = digits_of(data), marks_of(data, marks)
    rows = rows_of(np.flatnonzero(begins), offsets)
    rows = many_of(digits, rows, offsets)
    if len(rows):
        rows = many_of(spelled_digits(data, marks, digits, offsets), rows, offsets)
    if not len(rows):
        return rows
    found = rows_with_runs(data, offsets, within_escapes(data, begins))
    if _TAG in marks:  # what stands before and after a tag within a line belongs together
        found = np.union1d(found, rows_of(np.flatnonzero(data == _LESS), offsets))
    return np.intersect1d(found, rows, assume_unique=True)


def _at_signs(data: Bytes, raw: bytes, marks: tuple[bytes, ...]) -> Positions:
    """Returns, in order, where at signs stand, and escapes that may be one."""
    at_signs = np.flatnonzero(data == _AT) if _AT_SIGN in raw else _NONE
    return np.union1d(at_signs, hiding_at_sign(data, marks)) if marks else at_signs
