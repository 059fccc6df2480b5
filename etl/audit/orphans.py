"""Orphans: tokens of a staged column that the joined table does not have."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc

from etl.audit.staged_frame import read_columns
from etl.cloud.bigquery import Warehouse
from etl.cloud.storage import StagingLocation
from etl.settings import BigQuerySettings

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


def _tokens(place: TokenSources, where: Columns) -> Iterator[pa.Array]:
    for name in where.files:
        for batch in read_columns(place.target, name, where.schema, [where.name]):
            yield _text(batch.column(0))
    if where.select and place.warehouse is not None:
        for batch in Warehouse(place.warehouse, place.target.google).batches(where.select):
            yield _text(batch.column(0))


def _text(values: pa.Array) -> pa.Array:
    return pc.drop_null(values.cast(pa.string()))


def _own(tokens: pa.Array, part: int, parts: int) -> pa.Array:
    """Returns the tokens of one part: equal tokens are in the same part, whatever table they are in."""
    if parts == 1:
        return tokens
    last = pc.utf8_slice_codeunits(tokens, -1)
    mine = pa.array([chr(code) for code in range(128) if code % parts == part])
    return pc.filter(tokens, pc.is_in(last, value_set=mine))
