"""Row flags: which rows of a column are set aside, combined without touching a value."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

Flags = npt.NDArray[np.bool_]
"""One bool a row; None stands for "no row" wherever it is optional."""


def flags(array: pa.Array) -> Flags:
    """Returns an Arrow boolean array as flags; null counts as False."""
    return np.asarray(pc.fill_null(array, pa.scalar(value=False)).to_numpy(zero_copy_only=False), dtype=np.bool_)


def naming(column: pa.DictionaryArray, values: Flags) -> Flags:
    """Returns the rows of a column that name one of the flagged values of its dictionary; a null names none."""
    none = len(column.dictionary)
    named: Flags = np.append(values, np.False_)[column.indices.fill_null(none).to_numpy(zero_copy_only=False)]
    return named


def either(first: Flags | None, second: Flags | None) -> Flags | None:
    """Returns the rows flagged by one or the other; None where there is no such row."""
    both = [each for each in (first, second) if each is not None and each.any()]
    return np.logical_or.reduce(both) if both else None


def null_where(column: pa.Array, flagged: Flags | None) -> pa.Array:
    """Returns the column with null in the flagged rows."""
    if flagged is None:
        return column
    return pc.if_else(pa.array(flagged), pa.scalar(None, column.type), column)


def lost(before: pa.Array, after: pa.Array) -> Flags | None:
    """Flags rows that had a value before and have none after."""
    if after.null_count == before.null_count:
        return None
    return flags(pc.and_(before.is_valid(), after.is_null()))


def outside(numbers: pa.Array, lowest: int, highest: int) -> Flags | None:
    """Flags rows whose number is below `lowest` or above `highest`."""
    found = flags(pc.or_(pc.less(numbers, lowest), pc.greater(numbers, highest)))
    return found if found.any() else None


def unreadable_rows(column: pa.Array) -> Flags | None:
    """Flags rows of a text column whose bytes are not UTF-8; None for other types and for clean columns."""
    if not (pa.types.is_string(column.type) or pa.types.is_large_string(column.type)):
        return None
    if _is_clean(column):
        return None
    binary = pa.large_binary() if pa.types.is_large_string(column.type) else pa.binary()
    values = column.view(binary).to_pylist()
    found = np.array([value is not None and not _decodes(value) for value in values], np.bool_)
    return found if found.any() else None


def _is_clean(column: pa.Array) -> bool:
    try:
        column.validate(full=True)
    except pa.ArrowInvalid:
        return False
    return True


def _decodes(value: bytes) -> bool:
    try:
        value.decode()
    except UnicodeDecodeError:
        return False
    return True
