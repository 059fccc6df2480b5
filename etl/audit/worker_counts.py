"""Looks at staged files beside what Great Expectations sees: schema and rows, how new they are, leaks, joins.

One Spark job a table: workers read footers, text and token columns with the storage client, and give counts back.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import pyarrow as pa

from etl.audit.footers import Footers, LeakRule, _footers, _FooterTask
from etl.audit.orphans import Join, Orphans, TokenSources, _orphans, _parts
from etl.errors import worst_of
from etl.retries import as_value
from etl.spark import SMALL_ROWS
from etl.stage import StagedFile
from masking.errors import KagemushaError

if TYPE_CHECKING:
    from pyspark.sql import SparkSession


_SHARES: Final = 64


@dataclass(frozen=True)
class WorkerCounts:
    """What the workers counted; a join that could not be looked up is an error in its place."""

    footers: Footers
    orphans: Mapping[str, Orphans | KagemushaError]


def count_on_workers(
    spark: SparkSession,
    place: TokenSources,
    files: Sequence[StagedFile],
    schema: pa.Schema,
    newest_by: str | None,
    joins: Sequence[Join],
    rule: LeakRule,
) -> WorkerCounts:
    """Looks into every file, at its footer and for leaks, and looks every join up.

    Args:
        spark: the session.
        place: where the workers read.
        files: the manifest's.
        schema: which every file must have, columns in order.
        newest_by: the column whose newest instant is wanted; one that statistics are kept of.
        joins: what to look up.
        rule: what the files' columns may look like.

    Raises:
        KagemushaError: storage did not give a file.
    """
    shares = _shares([(file.name, file.rows) for file in files])
    footers = [_FooterTask(place.target, share, schema, newest_by, rule) for share in shares]
    parts = [(join, part, parts) for join in joins for parts in [_parts(join)] for part in range(parts)]
    tasks: list[_FooterTask | tuple[Join, int, int]] = [*footers, *parts]
    rows = max([sum(file.rows for file in files)] + [join.parent.rows for join in joins], default=0)
    at_once = len(tasks) if rows > SMALL_ROWS else 1
    outcomes: list[Any] = spark.sparkContext.parallelize(tasks, at_once).map(_runner(place)).collect()
    looked_at, found = outcomes[: len(footers)], outcomes[len(footers) :]
    failures = [one for one in looked_at if isinstance(one, KagemushaError)]
    if failures:
        raise worst_of(failures)
    seen = sum(looked_at, Footers())
    return WorkerCounts(seen, {join.column: _added(join, parts, found) for join in joins})


def _shares(files: Sequence[tuple[str, int]]) -> list[tuple[tuple[str, int], ...]]:
    """Returns the files in shares of about as many rows: one share where they are few, so that one task does it all."""
    wanted = max(1, min(len(files), _SHARES, sum(rows for _, rows in files) // SMALL_ROWS))
    return [tuple(files[number::wanted]) for number in range(wanted)]


def _runner(place: TokenSources) -> Callable[[_FooterTask | tuple[Join, int, int]], Footers | Orphans | KagemushaError]:
    def run(task: _FooterTask | tuple[Join, int, int]) -> Footers | Orphans | KagemushaError:
        if isinstance(task, _FooterTask):
            return as_value(lambda: _footers(task))
        join, part, parts = task
        return as_value(lambda: _orphans(place, join, part, parts), column=join.column)

    return run


def _added(join: Join, parts: Sequence[tuple[Join, int, int]], found: Sequence[Any]) -> Orphans | KagemushaError:
    own = [one for (of, _, _), one in zip(parts, found, strict=True) if of is join]
    failures = [one for one in own if isinstance(one, KagemushaError)]
    if failures:
        return worst_of(failures)
    counted = [one for one in own if isinstance(one, Orphans)]
    return Orphans(join.column, sum(one.failed for one in counted), sum(one.checked for one in counted))
