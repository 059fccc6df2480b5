"""Staged files, looked at one by one: what they say of their own schema, rows and newest instant, and their leaks."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time

import pyarrow as pa
import pyarrow.parquet as pq

from etl.audit.staged_leaks import LeakRule, LeaksSeen, leaks_in
from etl.cloud.storage import StagingLocation
from etl.stage import worker_stage


@dataclass(frozen=True)
class Footers:
    """What the files themselves say.

    Attributes:
        wrong_schema: how many have other columns than planned.
        wrong_rows: how many have another row count than planned.
        newest: the newest instant of a column.
        leaks: what was found in the values of files whose schema is right.
    """

    wrong_schema: int = 0
    wrong_rows: int = 0
    newest: datetime | None = None
    leaks: LeaksSeen = field(default_factory=LeaksSeen)

    def __add__(self, other: Footers) -> Footers:
        instants = [one for one in (self.newest, other.newest) if one is not None]
        return Footers(
            self.wrong_schema + other.wrong_schema,
            self.wrong_rows + other.wrong_rows,
            max(instants, default=None),
            self.leaks + other.leaks,
        )


@dataclass(frozen=True)
class _FooterTask:
    target: StagingLocation
    files: tuple[tuple[str, int], ...]
    schema: pa.Schema
    newest_by: str | None
    rule: LeakRule


def _footers(task: _FooterTask) -> Footers:
    seen = Footers()
    for name, rows in task.files:
        with worker_stage(task.target).open(name) as stream, pq.ParquetFile(stream) as file:
            fits = file.schema_arrow.equals(task.schema)
            seen += Footers(
                wrong_schema=not fits,
                wrong_rows=file.metadata.num_rows != rows,
                newest=max(_newest(file, task.newest_by), default=None),
                leaks=leaks_in(file, task.rule) if fits else LeaksSeen(),
            )
    return seen


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
