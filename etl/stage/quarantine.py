"""Rows that a load leaves out because they hold a value that cannot be masked: counted, and named by masked key."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import ClassVar

import pyarrow as pa
import pyarrow.compute as pc

from etl.errors import NOT_PUBLISHED, STOPPED
from masking.errors import KagemushaError


class QuarantineFull(KagemushaError):
    """More rows of a column cannot be masked than its contract lets a load leave out."""

    advice = "Correct the rows at the source; raise `quarantine_budget` only if you know why they differ."
    exit_code: ClassVar[int] = STOPPED


@dataclass(frozen=True)
class QuarantinedRow:
    """One row left out: its masked key, and for each column at fault the strategy that could not mask its value."""

    key: tuple[str, ...]
    reasons: Mapping[str, str]

    @property
    def line(self) -> str:
        """One line for a person."""
        causes = ", ".join(f"{column} cannot be masked by {strategy}" for column, strategy in self.reasons.items())
        return f"{' '.join(self.key)}: {causes}"


@dataclass(frozen=True)
class Quarantine:
    """The rows that a load leaves out, and the sums of their reconciled columns."""

    rows: tuple[QuarantinedRow, ...] = ()
    sums: Mapping[str, Decimal] = field(default_factory=dict)

    def and_also(self, others: Iterable[Quarantine]) -> Quarantine:
        """Returns the rows and sums of all of them together."""
        rows, sums = list(self.rows), dict(self.sums)
        for other in others:
            rows += other.rows
            for name, amount in other.sums.items():
                sums[name] = sums.get(name, Decimal(0)) + amount
        return Quarantine(tuple(rows), sums)

    def within(self, budgets: Mapping[str, int]) -> Quarantine:
        """Returns itself where no column has more rows than its budget.

        Raises:
            QuarantineFull: a column has; names and counts only.
        """
        counts = Counter(column for row in self.rows for column in row.reasons)
        over = {column: count for column, count in counts.items() if count > budgets[column]}
        if over:
            found = "; ".join(
                f"at least {count} values of {column} cannot be masked and its quarantine holds {budgets[column]} rows"
                for column, count in sorted(over.items())
            )
            raise QuarantineFull(f"{found}.", not_done=NOT_PUBLISHED, where={"column": ",".join(sorted(over))})
        return self


def quarantined(
    batch: pa.RecordBatch, reasons: Sequence[Mapping[str, str]], key: Sequence[str], summed: Iterable[str]
) -> Quarantine:
    """Returns the quarantine of masked rows.

    Args:
        batch: the rows as they would have been published.
        reasons: for each row, column → strategy that could not mask its value.
        key: the published columns that identify a row.
        summed: the columns whose sums are reconciled.
    """
    keys = zip(*(batch.column(name).to_pylist() for name in key), strict=True) if key else [()] * batch.num_rows
    spelled = (tuple("NULL" if part is None else str(part) for part in parts) for parts in keys)
    rows = tuple(QuarantinedRow(*row) for row in zip(spelled, reasons, strict=True))
    return Quarantine(rows, column_sums(batch, summed))


def column_sums(batch: pa.RecordBatch, names: Iterable[str]) -> dict[str, Decimal]:
    """Returns the exact sum of each named column; NULL counts nothing."""
    return {name: Decimal(pc.sum(_wide(batch.column(name))).as_py() or 0) for name in names}


def _wide(numbers: pa.Array) -> pa.Array:
    """Decimals sum in 38 digits, so that a batch cannot overflow its own type."""
    return numbers.cast(pa.decimal128(38, numbers.type.scale if pa.types.is_decimal(numbers.type) else 0))
