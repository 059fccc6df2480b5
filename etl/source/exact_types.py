"""Arrow batches in exactly the contract's types: a value that does not fit is refused or flagged, never changed."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc

from etl.errors import NOT_PUBLISHED, ValuesUnfit
from etl.source.dialect import ReadColumn
from etl.source.json_text import canonical
from masking.dates import FIRST_DAY, LAST_DAY
from masking.rows import Flags, either, flags, lost, null_where, outside

_MICROSECONDS_A_DAY: Final = 86_400_000_000
_FLAGS: Final = " unfit"
"""How the name of a column of flags ends; a published name has no space."""


def fit(batch: pa.RecordBatch, columns: Sequence[ReadColumn]) -> pa.RecordBatch:
    """Returns the batch with every column in the contract's Arrow type; see `Fitting`."""
    fitting = Fitting(columns)
    for array, column in zip(batch.columns, columns, strict=True):
        values = array.storage if isinstance(array, pa.ExtensionArray) else array
        if column.type.name == "json":
            values = fitting.keeping(column, values, canonical(values)[0], "are JSON without a canonical text")
        fitting.add(column, values)
    return fitting.batch()


class Fitting:
    """Gathers columns of a batch in the contract's Arrow types.

    A value that its type or BigQuery cannot hold becomes null and is flagged where the column's mask decides what
    becomes of it, and is refused by the column's name elsewhere.
    """

    def __init__(self, columns: Sequence[ReadColumn]) -> None:
        self._columns = columns
        self._arrays: list[pa.Array] = []
        self._unfit: dict[str, Flags] = {}

    def add(self, column: ReadColumn, values: pa.Array) -> None:
        """Takes the next column.

        Raises:
            ValuesUnfit: a numeric has more digits than the contract's type or is NaN or infinite, or a date or
                timestamp is none, is infinite or outside the years 1 to 9999 that BigQuery holds.
        """
        cast = _cast(values, _arrived(column, values))
        what = f"do not fit {column.type} (too many digits, not a number, no date, or infinite)"
        values = self.keeping(column, values, cast, what)
        if column.type.clock is not None:
            values = pc.subtract(values, pa.scalar(column.type.clock, pa.duration("us")))
        values = _cast(values, column.type.arrow)
        if pa.types.is_temporal(column.type.arrow):
            in_range = _in_range(values)
            values = self.keeping(column, values, in_range, "are infinite or outside the years 1 to 9999")
        self._arrays.append(values)

    def keeping(self, column: ReadColumn, before: pa.Array, after: pa.Array, what: str) -> pa.Array:
        """Returns what became of values; those that were lost are flagged, or refused as what they are.

        Raises:
            ValuesUnfit: values were lost, and the column's mask does not decide about them.
        """
        missing = lost(before, after)
        if missing is None:
            return after
        if column.on_unfit == "fail":
            count = int(missing.sum())
            raise ValuesUnfit(
                f"{count} values of {column.name} {what}.",
                not_done=NOT_PUBLISHED,
                where={"column": column.name, "rows": len(after)},
            )
        found = either(self._unfit.get(column.name), missing)
        self._unfit |= {column.name: found} if found is not None else {}
        return after

    def batch(self) -> pa.RecordBatch:
        """Returns the columns, and behind them one of flags for each column with flagged values."""
        names = [column.name for column in self._columns] + [name + _FLAGS for name in self._unfit]
        return pa.RecordBatch.from_arrays([*self._arrays, *map(pa.array, self._unfit.values())], names=names)


def without_flags(batch: pa.RecordBatch) -> tuple[pa.RecordBatch, dict[str, Flags]]:
    """Returns a batch's own columns, and by column which rows of it had a value that did not fit."""
    flagged = [name for name in batch.schema.names if name.endswith(_FLAGS)]
    unfit = {name.removesuffix(_FLAGS): flags(batch.column(name)) for name in flagged}
    return (batch.drop_columns(flagged) if flagged else batch), unfit


def _arrived(column: ReadColumn, values: pa.Array) -> pa.DataType:
    """Returns the type to which values are cast first: times of a clock, and instants written in UTC, have no zone."""
    target = column.type.arrow
    written = pa.types.is_timestamp(target) and pa.types.is_string(values.type)
    return pa.timestamp("us") if column.type.zone or written else target


def _cast(values: pa.Array, target: pa.DataType) -> pa.Array:
    """Returns the values as another type, null where one has none; halves are tried, as Arrow casts all or nothing."""
    if values.type == target:
        return values
    with suppress(pa.ArrowException):  # Arrow's message quotes the value
        return values.cast(target)
    if len(values) == 1:
        return pa.nulls(1, target)
    middle = len(values) // 2
    return pa.concat_arrays([_cast(values[:middle], target), _cast(values[middle:], target)])


def _in_range(values: pa.Array) -> pa.Array:
    is_date = pa.types.is_date(values.type)
    a_day, numbers = (1, values.view(pa.int32())) if is_date else (_MICROSECONDS_A_DAY, values.view(pa.int64()))
    return null_where(values, outside(numbers, FIRST_DAY * a_day, (LAST_DAY + 1) * a_day - 1))
