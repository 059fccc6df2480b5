"""Looks at staged files beside what Great Expectations sees: their schema and rows, how new they are, their joins.

One Spark job a table: workers read footers and token columns with the storage client, and give counts back.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time
from typing import TYPE_CHECKING, Any, Final

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from etl.attempts import attempted
from etl.errors import worst_of
from etl.handoff import StagedFile
from etl.settings import BigQuery
from etl.spark import SMALL_ROWS
from etl.staged_frame import read_columns
from etl.storage import StageTarget
from etl.warehouse import Warehouse
from etl.worker_stage import worker_stage
from masking.errors import KagemushaError

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

_TOKENS_A_TASK: Final = 4_000_000
_SPLITS: Final = 16
"""The most parts into which the tokens of a join are divided: by the last bits of their last character."""


@dataclass(frozen=True)
class Columns:
    """Where a column's tokens are: in staged files, in BigQuery, or in both."""

    name: str
    files: tuple[str, ...] = ()
    schema: pa.Schema = field(default_factory=lambda: pa.schema([]))
    select: str = ""
    rows: int = 0


@dataclass(frozen=True)
class Join:
    """One column whose tokens must be found in another table; both sides are read by the worker that looks it up."""

    column: str
    target: str
    child: Columns
    parent: Columns


@dataclass(frozen=True)
class Place:
    """Where the workers read: the staging bucket, and BigQuery for what this run did not stage."""

    target: StageTarget
    warehouse: BigQuery | None = None


@dataclass(frozen=True)
class Orphans:
    """Rows of a join whose token was not found, of those that have one."""

    column: str
    failed: int
    checked: int


@dataclass(frozen=True)
class Footers:
    """What the files themselves say: how many have another schema or row count than planned, and the newest instant."""

    wrong_schema: int
    wrong_rows: int
    newest: datetime | None


@dataclass(frozen=True)
class Survey:
    """What the workers counted; a join that could not be looked up is an error in its place."""

    footers: Footers
    orphans: Mapping[str, Orphans | KagemushaError]


def survey(
    spark: SparkSession,
    place: Place,
    files: Sequence[StagedFile],
    schema: pa.Schema,
    newest_by: str | None,
    joins: Sequence[Join],
) -> Survey:
    """Looks at every file's footer and looks every join up.

    Args:
        spark: the session.
        place: where the workers read.
        files: the manifest's.
        schema: which every file must have, columns in order.
        newest_by: the column whose newest instant is wanted; one that statistics are kept of.
        joins: what to look up.

    Raises:
        KagemushaError: storage did not give a file.
    """
    footers = _FooterTask(place.target, tuple((file.name, file.rows) for file in files), schema, newest_by)
    parts = [(join, part, parts) for join in joins for parts in [_parts(join)] for part in range(parts)]
    tasks: list[_FooterTask | tuple[Join, int, int]] = [footers, *parts]
    rows = max([file.rows for file in files] + [join.parent.rows for join in joins], default=0)
    at_once = len(tasks) if rows > SMALL_ROWS else 1
    outcomes: list[Any] = spark.sparkContext.parallelize(tasks, at_once).map(_runner(place)).collect()
    looked_at, found = outcomes[0], outcomes[1:]
    if not isinstance(looked_at, Footers):
        raise looked_at
    return Survey(looked_at, {join.column: _added(join, parts, found) for join in joins})


def _runner(place: Place) -> Callable[[_FooterTask | tuple[Join, int, int]], Footers | Orphans | KagemushaError]:
    def run(task: _FooterTask | tuple[Join, int, int]) -> Footers | Orphans | KagemushaError:
        if isinstance(task, _FooterTask):
            return attempted(lambda: _footers(task))
        join, part, parts = task
        return attempted(lambda: _orphans(place, join, part, parts), column=join.column)

    return run


def _added(join: Join, parts: Sequence[tuple[Join, int, int]], found: Sequence[Any]) -> Orphans | KagemushaError:
    own = [one for (of, _, _), one in zip(parts, found, strict=True) if of is join]
    failures = [one for one in own if isinstance(one, KagemushaError)]
    if failures:
        return worst_of(failures)
    counted = [one for one in own if isinstance(one, Orphans)]
    return Orphans(join.column, sum(one.failed for one in counted), sum(one.checked for one in counted))


@dataclass(frozen=True)
class _FooterTask:
    target: StageTarget
    files: tuple[tuple[str, int], ...]
    schema: pa.Schema
    newest_by: str | None


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
    """Gives the instant of a timestamp, or the one at which a business day ends in Japan (UTC)."""
    if isinstance(value, datetime):
        return value if value.tzinfo else value.replace(tzinfo=UTC)
    return datetime.combine(value, time(15), tzinfo=UTC)


def _parts(join: Join) -> int:
    return max(1, min(_SPLITS, -(-max(join.parent.rows, join.child.rows) // _TOKENS_A_TASK)))


def _orphans(place: Place, join: Join, part: int, parts: int) -> Orphans:
    """Counts the child's tokens of one part that the parent does not have; memory holds the parent's part."""
    known = pa.chunked_array(
        [_own(tokens, part, parts) for tokens in _tokens(place, join.parent)], pa.string()
    ).unique()
    failed = checked = 0
    for tokens in _tokens(place, join.child):
        own = _own(tokens, part, parts)
        checked += len(own)
        failed += len(own) - (pc.sum(pc.is_in(own, value_set=known)).as_py() or 0)
    return Orphans(join.column, failed, checked)


def _tokens(place: Place, where: Columns) -> Iterator[pa.Array]:
    for name in where.files:
        for batch in read_columns(place.target, name, where.schema, [where.name]):
            yield _text(batch.column(0))
    if where.select and place.warehouse is not None:
        for batch in Warehouse(place.warehouse, place.target.google).batches(where.select):
            yield _text(batch.column(0))


def _text(values: pa.Array) -> pa.Array:
    return pc.drop_null(values.cast(pa.string()))


def _own(tokens: pa.Array, part: int, parts: int) -> pa.Array:
    """Gives the tokens of one part: equal tokens are in the same part, whatever table they stand in."""
    if parts == 1:
        return tokens
    last = pc.utf8_slice_codeunits(tokens, -1)
    mine = pa.array([chr(code) for code in range(128) if code % parts == part])
    return pc.filter(tokens, pc.is_in(last, value_set=mine))
