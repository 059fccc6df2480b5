"""Turns what JDBC hands over — text, whole numbers, doubles, bytes — into the contract's exact types."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc

from etl.errors import NOT_PUBLISHED, ValuesUnfit
from etl.source.dialect import ReadColumn
from etl.source.exact_types import fit
from etl.source.jdbc.json_text import canonical

_ZERO_DATE: Final = r"^(0000|\d{4}-00|\d{4}-\d{2}-00)"
_TEMPORAL: Final = frozenset({"date", "timestamp", "datetime"})


def fit_text(batch: pa.RecordBatch, columns: Sequence[ReadColumn]) -> pa.RecordBatch:
    """Returns a batch with every column in the contract's Arrow type, or refuses by name.

    Args:
        batch: dates, instants, decimals and JSON as text, bools as whole numbers.
        columns: in the batch's order.

    Raises:
        ValuesUnfit: zero dates, whole numbers where the contract says bool, JSON that is none, or what `fit` refuses;
            counted, never quoted.
    """
    arrays = [_converted(batch.column(number), column) for number, column in enumerate(columns)]
    return fit(pa.RecordBatch.from_arrays(arrays, names=[column.name for column in columns]), columns)


def _converted(array: pa.Array, column: ReadColumn) -> pa.Array:
    kind = column.type.name
    if kind in _TEMPORAL:
        zero = pc.sum(pc.match_substring_regex(array, _ZERO_DATE)).as_py() or 0
        _refuse(zero, column, "zero dates, which no calendar has")
        return _moments(array, column)
    if kind == "bool":
        others = len(array) - array.null_count - (pc.sum(pc.is_in(array, pa.array([0, 1], array.type))).as_py() or 0)
        _refuse(others, column, "neither 0 nor 1; `type: int64` holds them")
        return array.cast(pa.bool_())
    if kind == "json":
        spelled, unfit = canonical(array)
        _refuse(unfit, column, "JSON without a canonical text")
        return spelled
    return array


def _moments(array: pa.Array, column: ReadColumn) -> pa.Array:
    target = column.type.arrow
    if pa.types.is_date(target):
        return array  # `fit` casts text to dates
    with suppress(pa.ArrowException):  # Arrow's message quotes the value
        civil = array.cast(pa.timestamp("us"))
        return pc.assume_timezone(civil, "UTC") if target.tz else civil
    raise ValuesUnfit(
        f"Values of {column.name} are infinite or outside the years 1 to 9999.",
        not_done=NOT_PUBLISHED,
        where={"column": column.name, "rows": len(array)},
    )


def _refuse(count: int, column: ReadColumn, what: str) -> None:
    if count:
        raise ValuesUnfit(
            f"{count} values of {column.name} are {what}.", not_done=NOT_PUBLISHED, where={"column": column.name}
        )
