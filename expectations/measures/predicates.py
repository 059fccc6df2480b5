"""What can be true of a row, said as Spark's SQL says it: true, false, or unknown where a value is NULL.

Each predicate is plain data that travels to workers, and tells of every row of a batch whether it holds.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import reduce
from typing import Final, Literal, Protocol

import pyarrow as pa
import pyarrow.compute as pc

from expectations.measures.patterns import Pattern

Relation = Literal["==", "!=", "<", "<=", ">", ">="]
_COMPARE: Final = {
    "==": pc.equal,
    "!=": pc.not_equal,
    "<": pc.less,
    "<=": pc.less_equal,
    ">": pc.greater,
    ">=": pc.greater_equal,
}
_LINE_ENDS: Final = r"[\n\r\x{85}\x{2028}\x{2029}]"


class UndecidedHere(Exception):
    """A batch holds what this engine would not surely judge as Spark does."""


class Predicate(Protocol):
    """Something that is true of a row or not."""

    def holds(self, batch: pa.RecordBatch) -> pa.BooleanArray:
        """Returns for each row whether it holds: bool (n), null where that is unknown.

        Raises:
            UndecidedHere: only another engine can say.
        """


@dataclass(frozen=True)
class Missing:
    """The column is NULL."""

    column: str

    def holds(self, batch: pa.RecordBatch) -> pa.BooleanArray:
        """Returns it for each row; never unknown."""
        return batch.column(self.column).is_null()


@dataclass(frozen=True)
class OneOf:
    """The column is one of some values of its own type."""

    column: str
    values: tuple[object, ...]

    def holds(self, batch: pa.RecordBatch) -> pa.BooleanArray:
        """Returns it for each row; unknown where the column is NULL."""
        return _by_value(batch.column(self.column), self._of_values)

    def _of_values(self, values: pa.Array) -> pa.BooleanArray:
        found = pc.is_in(values, value_set=pa.array(self.values, values.type))
        return pc.if_else(values.is_valid(), found, pa.scalar(None, pa.bool_())) if values.null_count else found


@dataclass(frozen=True)
class Matches:
    """A pattern is found in the text of the column."""

    column: str
    pattern: Pattern

    def holds(self, batch: pa.RecordBatch) -> pa.BooleanArray:
        """Returns it for each row; unknown where the column is NULL.

        Raises:
            UndecidedHere: a text that does not match has a line break, before which Java's `$` matches too.
        """
        return _by_value(batch.column(self.column), self._of_values)

    def _of_values(self, values: pa.Array) -> pa.BooleanArray:
        found = pc.match_substring_regex(values, self.pattern.re2)
        if self.pattern.names_the_end:
            others = values.filter(pc.invert(found))
            if len(others) and pc.any(pc.match_substring_regex(others, _LINE_ENDS)).as_py():
                raise UndecidedHere
        return found


@dataclass(frozen=True)
class Compared:
    """The column stands in a relation to a value of its own type; NaN is above all numbers."""

    column: str
    relation: Relation
    value: object

    def holds(self, batch: pa.RecordBatch) -> pa.BooleanArray:
        """Returns it for each row; unknown where the column is NULL."""
        column = batch.column(self.column)
        found = _COMPARE[self.relation](column, pa.scalar(self.value, column.type))
        above = pa.types.is_floating(column.type) and self.relation in (">", ">=")
        return pc.or_(found, pc.is_nan(column)) if above else found


@dataclass(frozen=True)
class LengthCompared:
    """The number of characters of a text stands in a relation to a number."""

    column: str
    relation: Relation
    value: float

    def holds(self, batch: pa.RecordBatch) -> pa.BooleanArray:
        """Returns it for each row; unknown where the column is NULL."""
        return _by_value(batch.column(self.column), self._of_values)

    def _of_values(self, values: pa.Array) -> pa.BooleanArray:
        return _COMPARE[self.relation](pc.utf8_length(values), self.value)


@dataclass(frozen=True)
class Paired:
    """Two columns of one type stand in a relation to each other."""

    left: str
    relation: Relation
    right: str

    def holds(self, batch: pa.RecordBatch) -> pa.BooleanArray:
        """Returns it for each row; unknown where either is NULL."""
        return _COMPARE[self.relation](batch.column(self.left), batch.column(self.right))


@dataclass(frozen=True)
class Same:
    """Two columns of one type are equal, or both NULL."""

    left: str
    right: str

    def holds(self, batch: pa.RecordBatch) -> pa.BooleanArray:
        """Returns it for each row; never unknown."""
        left, right = batch.column(self.left), batch.column(self.right)
        return pc.if_else(
            pc.and_(left.is_valid(), right.is_valid()), pc.equal(left, right), pc.and_(left.is_null(), right.is_null())
        )


@dataclass(frozen=True)
class Not:
    """The opposite; what is unknown stays so."""

    of: Predicate

    def holds(self, batch: pa.RecordBatch) -> pa.BooleanArray:
        """Returns it for each row."""
        return pc.invert(self.of.holds(batch))


@dataclass(frozen=True)
class AllOf:
    """Every one of some predicates."""

    of: tuple[Predicate, ...]

    def holds(self, batch: pa.RecordBatch) -> pa.BooleanArray:
        """Returns it for each row: false where one is false, whatever is unknown."""
        return reduce(pc.and_kleene, [one.holds(batch) for one in self.of])


@dataclass(frozen=True)
class AnyOf:
    """At least one of some predicates."""

    of: tuple[Predicate, ...]

    def holds(self, batch: pa.RecordBatch) -> pa.BooleanArray:
        """Returns it for each row: true where one is true, whatever is unknown."""
        return reduce(pc.or_kleene, [one.holds(batch) for one in self.of])


def _by_value(column: pa.Array, judged: Callable[[pa.Array], pa.BooleanArray]) -> pa.BooleanArray:
    """Returns what is true of each row of a column; values that it keeps apart from its rows are judged once."""
    if not pa.types.is_dictionary(column.type):
        return judged(column)
    return judged(column.dictionary).take(column.indices)
