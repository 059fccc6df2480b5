"""Measures: each is plain data that says what to count, and adds up what it counts in the batches of all workers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import Enum
from typing import Any, Final, Protocol

import pyarrow as pa
import pyarrow.compute as pc

from expectations.measures.predicates import Predicate, UndecidedHere


class Undecided(Enum):
    """What is answered where only another engine can say."""

    UNDECIDED = "undecided"


UNDECIDED: Final = Undecided.UNDECIDED
Answer = int | float | Decimal | date | None | Undecided
"""A count, a sum, a mean or a bound of numbers or days."""


class Measure(Protocol):
    """Something that is counted in all batches together."""

    def answer(self, tally: Any) -> Answer:  # noqa: ANN401  each measure has its own tally
        """Returns what the tally of all batches says; of None, what no batch at all says."""


class Counted(Measure, Protocol):
    """A measure that is counted batch by batch; tallies of two batches add up with `+`."""

    def tally(self, batch: pa.RecordBatch) -> Any:  # noqa: ANN401  each measure has its own tally
        """Returns what is counted in one batch.

        Raises:
            UndecidedHere: only another engine can say.
        """


@dataclass(frozen=True)
class Count:
    """How many rows there are.

    Attributes:
        what: that is true of them; every row where it is None.
        where: among those of which this is true; among all where it is None.
    """

    what: Predicate | None = None
    where: Predicate | None = None

    def tally(self, batch: pa.RecordBatch) -> int:
        """Returns the number of rows of a batch."""
        named = [one.holds(batch) for one in (self.what, self.where) if one is not None]
        if not named:
            return int(batch.num_rows)
        held = named[0] if len(named) == 1 else pc.and_kleene(*named)
        return int(held.true_count)

    def answer(self, tally: int | None) -> Answer:
        """Returns the number of rows of all batches."""
        return tally or 0


class Counter:
    """Counts several measures over batches.

    Args:
        measures: what to count.
    """

    def __init__(self, measures: Sequence[Counted]) -> None:
        self._measures = tuple(measures)
        self.tallies: list[Any] = [None] * len(self._measures)

    def look(self, batch: pa.RecordBatch) -> None:
        """Adds what one batch holds."""
        for number, measure in enumerate(self._measures):
            if self.tallies[number] is UNDECIDED:
                continue
            try:
                tally = measure.tally(batch)
            except UndecidedHere:
                tally = UNDECIDED
            self.tallies[number] = added(self.tallies[number], tally)


def added(one: Any, other: Any) -> Any:  # noqa: ANN401  each measure has its own tally
    """Returns the tally of both: None is one of nothing, and what is undecided stays so."""
    if one is None or other is UNDECIDED:
        return other
    return one if other is None or one is UNDECIDED else one + other


def answered(measure: Measure, tally: Any) -> Answer:  # noqa: ANN401  the same
    """Returns what a measure's tally says, or that it is undecided."""
    return UNDECIDED if tally is UNDECIDED else measure.answer(tally)


def chosen(batch: pa.RecordBatch, where: Predicate | None) -> pa.RecordBatch:
    """Returns the rows of a batch of which a condition is true."""
    if where is None:
        return batch
    held = where.holds(batch)
    return batch if held.true_count == batch.num_rows else batch.filter(held)
