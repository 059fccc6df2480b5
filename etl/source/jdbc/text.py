"""Turns what JDBC hands over — text, whole numbers, doubles, bytes — into the contract's exact types."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc

from etl.source.dialect import ReadColumn
from etl.source.exact_types import Fitting
from etl.source.json_text import canonical
from masking.rows import flags, null_where

_DATE: Final = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}($|[ T])"
_ZERO_DATE: Final = r"^(0000|\d{4}-00|\d{4}-\d{2}-00)"
_TEMPORAL: Final = frozenset({"date", "timestamp", "datetime"})


def fit_text(batch: pa.RecordBatch, columns: Sequence[ReadColumn]) -> pa.RecordBatch:
    """Returns a batch with every column in the contract's Arrow type; see `Fitting`.

    Args:
        batch: dates, instants, decimals and JSON as text, bools as whole numbers.
        columns: in the batch's order.

    Raises:
        ValuesUnfit: zero dates, whole numbers where the contract says bool, JSON that is none, or what `Fitting`
            refuses; counted, never quoted.
    """
    fitting = Fitting(columns)
    for array, column in zip(batch.columns, columns, strict=True):
        fitting.add(column, _converted(fitting, array, column))
    return fitting.batch()


def _converted(fitting: Fitting, array: pa.Array, column: ReadColumn) -> pa.Array:
    kind = column.type.name
    if kind in _TEMPORAL:
        real = null_where(array, flags(pc.match_substring_regex(array, _ZERO_DATE)))
        array = fitting.keeping(column, array, real, "are zero dates, which no calendar has")
        written = null_where(array, ~flags(pc.match_substring_regex(array, _DATE)))
        return fitting.keeping(column, array, written, "are infinite or outside the years 1 to 9999")
    if kind == "bool":
        known = null_where(array, ~flags(pc.is_in(array, pa.array([0, 1], array.type))))
        known = fitting.keeping(column, array, known, "are neither 0 nor 1; `type: int64` holds them")
        return known.cast(pa.bool_())
    if kind == "json":
        return fitting.keeping(column, array, canonical(array)[0], "are JSON without a canonical text")
    return array
