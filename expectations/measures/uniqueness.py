"""Uniqueness: proven by whoever compares rows; counted by another engine where they are not unique."""

from __future__ import annotations

from dataclasses import dataclass

import pyarrow as pa

from expectations.measures.counting import UNDECIDED, Answer, chosen
from expectations.measures.predicates import Predicate


@dataclass(frozen=True)
class Unique:
    """How many rows are equal to another in some columns; NULLs are equal to each other.

    Attributes:
        columns: of texts, bytes, whole numbers, decimals, truth values, days or instants.
        where: the rows that are compared.
    """

    columns: tuple[str, ...]
    where: Predicate | None = None

    def compared(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        """Returns the rows of a batch that are compared."""
        return chosen(batch, self.where)

    def answer(self, tally: bool | None) -> Answer:  # noqa: FBT001  as of every measure
        """Returns the number of rows that are not alone, which is known where all are: none.

        Args:
            tally: whether two rows may be equal.
        """
        return UNDECIDED if tally else 0
