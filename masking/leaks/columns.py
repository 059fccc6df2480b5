"""Counts the leaks of columns, whatever Arrow type may hide one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from masking.errors import StrategyMisused
from masking.leaks.kinds import ALL_KINDS, NUMBERS, LeakKind
from masking.leaks.own_cards import OwnIins
from masking.leaks.spans import find_spans
from masking.rows import naming

_SMALLEST_NUMBER = 10**11
"""Twelve digits: a My Number; a numeric column holds nothing shorter that would be recognized."""

_SMALLEST_OWN = 10**9
"""Ten digits: the shortest of an issuer's own cards."""

_DIGITS_OF_SMALLEST = 10

_HARMLESS: tuple[Callable[[pa.DataType], bool], ...] = (
    pa.types.is_null,
    pa.types.is_boolean,
    pa.types.is_integer,
    pa.types.is_floating,
    pa.types.is_decimal,
    pa.types.is_temporal,
)
"""What holds no text, and numbers too short for a leak; every other type is refused rather than let through unseen."""

Rows = npt.NDArray[np.int64]
Flags = dict[LeakKind, npt.NDArray[np.bool_]]


def scannable(source: pa.DataType) -> bool:
    """Tells whether a column of this type is scanned: text, bytes, and numbers wide enough for ten digits."""
    if pa.types.is_dictionary(source):
        return scannable(source.value_type)
    return _is_text(source) or _is_wide_number(source)


def count_leaks(
    column: pa.Array | pa.ChunkedArray, kinds: frozenset[LeakKind] = ALL_KINDS, own: OwnIins = ()
) -> Counter[LeakKind]:
    """Counts the rows of a column that hold at least one leak of each kind; kinds that were not found count zero.

    Args:
        column: of any type.
        kinds: what to look for.
        own: the issuer's own IINs.

    Raises:
        StrategyMisused: the column is of a type, such as a list, whose values cannot be scanned.
    """
    chunks = column.chunks if isinstance(column, pa.ChunkedArray) else [column]
    counts: Counter[LeakKind] = Counter()
    for chunk in chunks:
        for kind, rows in leaking_rows(chunk, kinds, own).items():
            counts[kind] += int(rows.sum())
    return +counts


def leaking_rows(column: pa.Array, kinds: frozenset[LeakKind], own: OwnIins = ()) -> Flags:
    """Flags, for each kind that was found, the rows that hold it.

    Raises:
        StrategyMisused: the values of the column's type cannot be scanned.
    """
    if pa.types.is_dictionary(column.type):
        distinct = leaking_rows(column.dictionary, kinds, own)
        named = {kind: naming(column, values) for kind, values in distinct.items()}
        return {kind: rows for kind, rows in named.items() if rows.any()}
    rows, texts = texts_of(column, _SMALLEST_NUMBER if not own else _SMALLEST_OWN)
    if not scannable(column.type):
        return {}
    sought = kinds if _is_text(column.type) else kinds & NUMBERS
    found: dict[LeakKind, list[int]] = {}
    for span in find_spans(texts, sought, own) if sought else []:
        found.setdefault(span.kind, []).append(span.row)
    flags = {kind: np.zeros(len(column), np.bool_) for kind in found}
    for kind, places in found.items():
        flags[kind][places if rows is None else rows[places]] = True
    return flags


def texts_of(column: pa.Array, smallest: int = _SMALLEST_NUMBER) -> tuple[Rows | None, pa.Array]:
    """Returns the rows of a plain column that can hold a leak, and their texts; None: it is text, and all can.

    Of numbers, the long whole ones can.

    Raises:
        StrategyMisused: the values of the column's type cannot be scanned.
    """
    if pa.types.is_fixed_size_binary(column.type):
        column = column.cast(pa.binary())
    if _is_text(column.type):
        return None, column
    if _is_wide_number(column.type):
        return _long_numbers(column, smallest)
    if any(is_harmless(column.type) for is_harmless in _HARMLESS):
        return np.empty(0, np.int64), pa.array([], pa.string())
    raise StrategyMisused(
        f"A column of type {column.type} cannot be scanned for leaks.",
        not_done="Nothing was staged.",
        advice="Give the column type json or string in the contract.",
    )


def _is_text(source: pa.DataType) -> bool:
    return bool(
        pa.types.is_string(source)
        or pa.types.is_large_string(source)
        or pa.types.is_binary(source)
        or pa.types.is_large_binary(source)
        or pa.types.is_fixed_size_binary(source)
    )


def _is_wide_number(source: pa.DataType) -> bool:
    if pa.types.is_decimal(source):
        return bool(source.precision - source.scale >= _DIGITS_OF_SMALLEST)
    return bool(pa.types.is_int64(source) or pa.types.is_uint64(source) or pa.types.is_float64(source))


def _long_numbers(column: pa.Array, smallest: int) -> tuple[Rows, pa.Array]:
    """Returns the rows that hold a whole number of at least `smallest`, and those numbers as strings."""
    if pa.types.is_decimal(column.type):
        digits = len(str(smallest))
        if column.type.precision - column.type.scale < digits:
            return np.empty(0, np.int64), pa.array([], pa.string())
        large = pc.greater_equal(pc.abs(column), pa.scalar(smallest, pa.decimal128(digits, 0)).cast(column.type))
        rows = np.flatnonzero(pc.fill_null(large, fill_value=False).to_numpy(zero_copy_only=False))
        chosen = pc.abs(column.take(pa.array(rows)))
        whole = np.flatnonzero(pc.equal(pc.floor(chosen), chosen).to_numpy(zero_copy_only=False))
        texts = chosen.take(pa.array(whole)).cast(pa.string())
        return rows[whole], pc.list_element(pc.split_pattern(texts, "."), 0)
    filled = column.fill_null(0).to_numpy(zero_copy_only=False)
    if pa.types.is_floating(column.type):
        largest = np.float64(2**53)  # above it a float64 cannot hold every whole number
        filled = np.where(np.isfinite(filled) & (np.abs(filled) <= largest) & (np.trunc(filled) == filled), filled, 0)
    rows = np.flatnonzero((filled >= smallest) | (filled <= -smallest))
    numbers = filled[rows].astype(np.uint64 if pa.types.is_uint64(column.type) else np.int64)
    return rows, pc.utf8_ltrim(pa.array(numbers).cast(pa.string()), "-")
