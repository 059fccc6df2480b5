"""What one Spark task reads of a table: a slice, and which rows have changed."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime, timedelta


@dataclass(frozen=True)
class Slice:
    """A part of a table that one Spark task reads.

    Attributes:
        number: from 0, unique within the table.
        where: SQL condition of identifiers, timestamps of ours, and bounds of keys. A bound can be a row's own key, so
            the condition is not printed.
        partition: the business day of all its rows; None where they are of no day, or of several.
        by: the column that `where` names, if it names one.
    """

    number: int
    where: str = field(repr=False)
    partition: date | None = None
    by: str | None = None


@dataclass(frozen=True)
class Changes:
    """Which rows of a merge table a run reads, by the column that holds the time of their last change.

    Attributes:
        column: the contract's watermark column, by its name at the source.
        watermark: the latest change that is published; None where all rows are read and replace the table.
        overlap: how long before the watermark rows are read again, because they may have been committed late.
        until: when the run began; the next watermark is never later.
        closed: whether rows that changed after `until` are left to the next run, because slices see different states.
        published: the column's published name, where it is another one.
        clock: how far the column's times are ahead of UTC; None where the source keeps instants.
    """

    column: str
    watermark: datetime | None
    overlap: timedelta
    until: datetime
    closed: bool
    published: str = ""
    clock: timedelta | None = None

    @property
    def name(self) -> str:
        """The column's name in what is read."""
        return self.published or self.column

    @property
    def after(self) -> datetime | None:
        """The instant after which changes are read; None where all rows are."""
        return self.watermark - self.overlap if self.watermark else None
