"""Hashes of rows that must be unique: where all 64 bits of all hashes differ, all rows do, whatever the hash.

Workers hand hashes on, never values. Where a hash comes twice, two rows are equal or, once in some ten million tables
of a million rows, only their hashes are: then Spark counts the rows themselves. A token that another table of a million
tokens lacks is taken for one of these once in some ten million million times.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from expectations.measures import Unique
from masking.kernels.buffers import ByteStrings

Hashes = npt.NDArray[np.uint64]

_SEED: Final = np.uint64(0x9E3779B97F4A7C15)
_FACTOR: Final = np.uint64(0xFF51AFD7ED558CCD)
_HALF: Final = np.uint64(32)
_NULL: Final = np.uint64(0xC4CEB9FE1A85EC53)
_WORD: Final = 8


def hashes_of(batch: pa.RecordBatch, rule: Unique) -> Hashes:
    """Returns a hash of each row that a rule compares, of the columns that it names: uint64 (m)."""
    rows = rule.compared(batch)
    found = np.full(rows.num_rows, _SEED, np.uint64)
    for name in rule.columns:
        found = _mixed(found, hashes_of_values(rows.column(name)))
    return found


def hashes_of_values(column: pa.Array) -> Hashes:
    """Returns a hash of each value, equal for equal values of one type, encoded or not: uint64 (m)."""
    if pa.types.is_dictionary(column.type):
        values = np.append(hashes_of_values(column.dictionary), _NULL)
        found: Hashes = values[column.indices.fill_null(len(values) - 1).to_numpy(zero_copy_only=False)]
        return found
    words = _texts(column) if _is_text(column.type) else _numbers(column)
    if column.null_count:
        words[column.is_null().to_numpy(zero_copy_only=False)] = _NULL
    return words


def in_order(hashes: Iterable[Hashes]) -> Hashes:
    """Returns all hashes in order; memory holds them twice."""
    every: Hashes = np.concatenate([np.empty(0, np.uint64), *hashes])
    every.sort()
    return every


def parts_of(hashes: Hashes, parts: int) -> Hashes:
    """Returns which of so many parts each hash belongs to, by its upper half."""
    return (hashes >> _HALF) % np.uint64(parts)


def repeated(hashes: Iterable[Hashes]) -> bool:
    """Tells whether a hash comes twice; memory holds the hashes twice."""
    every = in_order(hashes)
    return bool((every[1:] == every[:-1]).any())


def among(known: Hashes, hashes: Hashes) -> int:
    """Returns how many hashes are among those that are known.

    Args:
        known: see `in_order`.
        hashes: in any order; those that come twice count twice.
    """
    if not len(known):
        return 0
    ordered = np.sort(hashes)  # then each search goes on where the last one ended
    places = np.searchsorted(known, ordered)
    return int(np.count_nonzero(known[np.minimum(places, len(known) - 1)] == ordered))


def _mixed(state: Hashes, words: Hashes) -> Hashes:
    """Returns the state with a word mixed in, one to one for each of both (finalizer of MurmurHash3)."""
    state = (state ^ words) * _FACTOR
    np.bitwise_xor(state, state >> _HALF, out=state)
    return state


def _is_text(kind: pa.DataType) -> bool:
    return bool(pa.types.is_string(kind) or pa.types.is_binary(kind))


def _texts(column: pa.Array) -> Hashes:
    """Returns the hash of each text, from its length and its bytes, eight at a time."""
    found = np.zeros(len(column), np.uint64)
    for rows, matrix in ByteStrings.from_arrow(column).groups():
        count, length = matrix.shape
        padded = np.zeros((count, -(-length // _WORD) * _WORD), np.uint8)
        padded[:, :length] = matrix
        state = np.repeat(_mixed(np.array([_SEED]), np.array([length], np.uint64)), count)
        for word in padded.view(np.uint64).T:
            state = _mixed(state, word)
        found[rows] = state
    return found


def _numbers(column: pa.Array) -> Hashes:
    """Returns each number as one word, or the hash of the two words of a decimal."""
    if pa.types.is_decimal(column.type):
        pairs = np.frombuffer(column.buffers()[1], np.uint64)[2 * column.offset :][: 2 * len(column)].reshape(-1, 2)
        return _mixed(_mixed(np.full(len(column), _SEED, np.uint64), pairs[:, 0]), pairs[:, 1])
    whole = column.cast(pa.int8()) if pa.types.is_boolean(column.type) else column
    whole = whole.cast(pa.int32()) if pa.types.is_date32(column.type) else whole
    words: Hashes = whole.cast(pa.int64()).fill_null(0).to_numpy(zero_copy_only=False).view(np.uint64).copy()
    return words
