"""Sums, means and bounds of a column of numbers or days, in the types in which Spark returns them."""

from __future__ import annotations

import operator
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Context, Decimal
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute as pc

from expectations.measures.counting import UNDECIDED, Answer, chosen
from expectations.measures.predicates import Predicate

_MOST_DIGITS: Final = 38
_DIGITS_MORE: Final = 10
"""A sum of decimals has ten digits more than its values, as far as 38 allow; beyond them Spark's sum is NULL."""
_MEAN_DIGITS_MORE: Final = 4
_CONTEXT: Final = Context(prec=100, rounding=ROUND_HALF_UP)
_HALF_WORD: Final = 32
_SUMMED_AS_THEY_ARE: Final = 30
"""Digits of decimals whose sum over the rows of a batch surely fits into 38."""


@dataclass(frozen=True)
class Totals:
    """The sum of the values that are not NULL, and their number; whole numbers are summed exactly."""

    total: int | float | Decimal
    rows: int

    def __add__(self, other: Totals) -> Totals:
        decimals = isinstance(self.total, Decimal) and isinstance(other.total, Decimal)
        plus: Any = _CONTEXT.add if decimals else operator.add  # Any: both totals are of one kind
        return Totals(plus(self.total, other.total), self.rows + other.rows)


@dataclass(frozen=True)
class Sum:
    """The sum of a column.

    Attributes:
        column: of whole numbers, decimals or doubles.
        kind: its type.
        where: the rows that count.
    """

    column: str
    kind: pa.DataType
    where: Predicate | None = None

    def tally(self, batch: pa.RecordBatch) -> Totals:
        """Returns the totals of one batch."""
        column = chosen(batch, self.where).column(self.column).drop_null()
        return Totals(_total(column), len(column))

    def answer(self, tally: Totals | None) -> Answer:
        """Returns the sum; None where there is no value, undecided where it does not fit its type."""
        if tally is None or not tally.rows:
            return None
        if isinstance(tally.total, float):
            return tally.total
        if isinstance(tally.total, int):
            return tally.total if abs(tally.total) < 2**63 else UNDECIDED
        most = Decimal(10) ** (min(self.kind.precision + _DIGITS_MORE, _MOST_DIGITS) - self.kind.scale)
        return tally.total if abs(tally.total) < most else UNDECIDED


@dataclass(frozen=True)
class Mean(Sum):
    """The mean of a column: of decimals with four digits more, rounded half up, else a double."""

    def answer(self, tally: Totals | None) -> Answer:
        """Returns the mean; None where there is no value."""
        if tally is None or not tally.rows:
            return None
        if not isinstance(tally.total, Decimal):
            return tally.total / tally.rows
        if super().answer(tally) is UNDECIDED:
            return UNDECIDED
        scale = min(self.kind.scale + _MEAN_DIGITS_MORE, _MOST_DIGITS)
        return _CONTEXT.quantize(_CONTEXT.divide(tally.total, tally.rows), Decimal(1).scaleb(-scale))


@dataclass(frozen=True)
class Bounds:
    """The least and the largest value; None where there is none."""

    least: Any  # Any: of the column's kind
    most: Any

    def __add__(self, other: Bounds) -> Bounds:
        leasts = [one for one in (self.least, other.least) if one is not None]
        mosts = [one for one in (self.most, other.most) if one is not None]
        return Bounds(min(leasts, default=None), max(mosts, default=None))


@dataclass(frozen=True)
class Extreme:
    """The least or the largest value of a column of whole numbers, decimals or days."""

    column: str
    largest: bool
    where: Predicate | None = None

    def tally(self, batch: pa.RecordBatch) -> Bounds:
        """Returns the bounds of one batch."""
        found = pc.min_max(chosen(batch, self.where).column(self.column))
        return Bounds(found["min"].as_py(), found["max"].as_py())

    def answer(self, tally: Bounds | None) -> Answer:
        """Returns the bound; None where there is no value."""
        bound: Answer = None if tally is None else tally.most if self.largest else tally.least
        return bound


def _total(column: pa.Array) -> int | float | Decimal:
    """Returns the exact sum of whole numbers or decimals, or that of doubles."""
    if pa.types.is_decimal(column.type):
        wide = column.type.precision > _SUMMED_AS_THEY_ARE
        return pc.sum(column.cast(pa.decimal256(76, column.type.scale)) if wide else column).as_py() or Decimal(0)
    values = column.to_numpy(zero_copy_only=False)
    if pa.types.is_floating(column.type):
        return float(values.sum())
    return (int((values >> _HALF_WORD).sum()) << _HALF_WORD) + int((values & (2**_HALF_WORD - 1)).sum())
