"""Parquet footers: what staged files say of their own schema, rows and newest instant."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time

import pyarrow as pa
import pyarrow.parquet as pq

from etl.cloud.storage import StagingLocation
from etl.stage import worker_stage


@dataclass(frozen=True)
class Footers:
    """What the files themselves say: how many have another schema or row count than planned, and the newest instant."""

    wrong_schema: int
    wrong_rows: int
    newest: datetime | None


@dataclass(frozen=True)
class _FooterTask:
    target: StagingLocation
    files: tuple[tuple[str, int], ...]
    schema: pa.Schema
    newest_by: str | None


def together(found: Sequence[Footers]) -> Footers:
    """Returns what parts of the files say together."""
    return Footers(
        wrong_schema=sum(one.wrong_schema for one in found),
        wrong_rows=sum(one.wrong_rows for one in found),
        newest=max((one.newest for one in found if one.newest is not None), default=None),
    )


def _footers(task: _FooterTask) -> Footers:
    wrong_schema = wrong_rows = 0
    newest: datetime | None = None
    for name, rows in task.files:
        with worker_stage(task.target).open(name) as stream, pq.ParquetFile(stream) as file:
            wrong_schema += not file.schema_arrow.equals(task.schema)
            wrong_rows += file.metadata.num_rows != rows
            for instant in _newest(file, task.newest_by):
                newest = max(newest or instant, instant)
    return Footers(wrong_schema, wrong_rows, newest)


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
