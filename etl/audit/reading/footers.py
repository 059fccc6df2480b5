"""What staged files say of themselves: their schema, their rows, and the newest instant of a column."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time

import pyarrow as pa
import pyarrow.parquet as pq


@dataclass(frozen=True)
class Footers:
    """What the footers of files say.

    Attributes:
        wrong_schema: how many have other columns than planned.
        wrong_rows: how many have another row count than planned.
        newest: the newest instant of a column.
    """

    wrong_schema: int = 0
    wrong_rows: int = 0
    newest: datetime | None = None

    def __add__(self, other: Footers) -> Footers:
        instants = [one for one in (self.newest, other.newest) if one is not None]
        return Footers(
            self.wrong_schema + other.wrong_schema,
            self.wrong_rows + other.wrong_rows,
            max(instants, default=None),
        )


def footer_of(file: pq.ParquetFile, rows: int, schema: pa.Schema, newest_by: str | None) -> Footers:
    """Returns what one file's footer says against its plan.

    Args:
        file: the opened file.
        rows: how many it was planned with.
        schema: which it must have, columns in order.
        newest_by: the column whose newest instant is wanted; one that statistics are kept of.
    """
    return Footers(
        wrong_schema=not file.schema_arrow.equals(schema),
        wrong_rows=file.metadata.num_rows != rows,
        newest=max(_newest(file, newest_by), default=None),
    )


def _newest(file: pq.ParquetFile, column: str | None) -> Iterator[datetime]:
    if column is None or column not in file.schema_arrow.names:
        return
    number = file.schema_arrow.names.index(column)
    for group in range(file.metadata.num_row_groups):
        statistics = file.metadata.row_group(group).column(number).statistics
        if statistics is not None and statistics.has_min_max:
            yield as_instant(statistics.max)


def as_instant(value: datetime | date) -> datetime:
    """Returns the instant of a timestamp, or the one at which a business day ends in Japan (UTC)."""
    if isinstance(value, datetime):
        return value if value.tzinfo else value.replace(tzinfo=UTC)
    return datetime.combine(value, time(15), tzinfo=UTC)
