"""Arrow batches in exactly the contract's types: a value that does not fit is refused, never changed."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from datetime import date
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc

from etl.errors import NOT_PUBLISHED, ValuesUnfit
from etl.source.dialect import ReadColumn

_FIRST_DATE: Final = date(1, 1, 1)
_LAST_DATE: Final = date(9999, 12, 31)
_MICROSECONDS_A_DAY: Final = 86_400_000_000


def fit(batch: pa.RecordBatch, columns: Sequence[ReadColumn]) -> pa.RecordBatch:
    """Returns the batch with every column in the contract's Arrow type; a column that does not fit is refused by name.

    Raises:
        ValuesUnfit: a numeric has more digits than the contract's type or is NaN or infinite, or a date or timestamp is
            infinite or outside the years 1 to 9999 that BigQuery holds.
    """
    arrays = [_fit_column(batch.column(n), column) for n, column in enumerate(columns)]
    return pa.RecordBatch.from_arrays(arrays, names=[column.name for column in columns])


def _fit_column(array: pa.Array, column: ReadColumn) -> pa.Array:
    target = column.type.arrow
    if isinstance(array, pa.ExtensionArray):
        array = array.storage  # ADBC hands NUMERIC over as text in an opaque extension type
    if array.type != target:
        fitted = None
        with suppress(pa.ArrowException):  # Arrow's message quotes the value
            fitted = array.cast(target)
        if fitted is None:
            raise ValuesUnfit(
                f"Values of {column.name} do not fit {column.type} (too many digits, not a number, or infinite).",
                not_done=NOT_PUBLISHED,
                where={"column": column.name, "rows": len(array)},
            )
        array = fitted
    if pa.types.is_temporal(target):
        _refuse_out_of_range(array, column)
    return array


def _refuse_out_of_range(array: pa.Array, column: ReadColumn) -> None:
    a_day = 1 if pa.types.is_date(array.type) else _MICROSECONDS_A_DAY
    low, high = _days(_FIRST_DATE) * a_day, (_days(_LAST_DATE) + 1) * a_day - 1
    numbers = array.cast(pa.int32() if pa.types.is_date(array.type) else pa.int64())
    outside = pc.sum(pc.or_(pc.less(numbers, low), pc.greater(numbers, high))).as_py() or 0
    if outside:
        raise ValuesUnfit(
            f"{outside} values of {column.name} are infinite or outside the years 1 to 9999.",
            not_done=NOT_PUBLISHED,
            where={"column": column.name},
        )


def _days(day: date) -> int:
    return (day - date(1970, 1, 1)).days
