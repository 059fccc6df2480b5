"""Orphans: tokens of a staged column that the joined table does not have; they are compared by their hashes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc

from etl.audit.hashes import Hashes, among, hashes_of_values, in_order, parts_of
from etl.audit.staged_frame import read_columns
from etl.cloud.bigquery import Warehouse
from etl.cloud.storage import StagingLocation
from etl.settings import BigQuerySettings

_TOKENS_A_TASK: Final = 4_000_000
"""Of which memory holds the hashes twice while they are gathered: 64 MiB."""
_SPLITS: Final = 16
"""The most parts into which the tokens of a join are divided, by their hashes; each part reads all of both tables."""


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
class TokenSources:
    """Where the workers read: the staging bucket, and BigQuery for what this run did not stage."""

    target: StagingLocation
    warehouse: BigQuerySettings | None = None


@dataclass(frozen=True)
class Orphans:
    """Rows of a join whose token was not found, of those that have one."""

    column: str
    failed: int
    checked: int


def _parts(join: Join) -> int:
    return max(1, min(_SPLITS, -(-max(join.parent.rows, join.child.rows) // _TOKENS_A_TASK)))


def _orphans(place: TokenSources, join: Join, part: int, parts: int) -> Orphans:
    """Counts the child's tokens of one part that the parent does not have; memory holds hashes of the parent's part."""
    known = in_order(_own(place, join.parent, part, parts))
    failed = checked = 0
    for hashes in _own(place, join.child, part, parts):
        checked += len(hashes)
        failed += len(hashes) - among(known, hashes)
    return Orphans(join.column, failed, checked)


def _own(place: TokenSources, where: Columns, part: int, parts: int) -> Iterator[Hashes]:
    """Yields the hashes of one part's tokens: equal tokens are in the same part, whatever table they are in."""
    for hashes in map(hashes_of_values, _tokens(place, where)):
        yield hashes[parts_of(hashes, parts) == part]


def _tokens(place: TokenSources, where: Columns) -> Iterator[pa.Array]:
    for name in where.files:
        for batch in read_columns(place.target, name, where.schema, [where.name]):
            yield _text(batch.column(0))
    if where.select and place.warehouse is not None:
        for batch in Warehouse(place.warehouse, place.target.google).batches(where.select):
            yield _text(batch.column(0))


def _text(values: pa.Array) -> pa.Array:
    return pc.drop_null(values.cast(pa.string()))
