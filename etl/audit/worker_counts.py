"""Looks at staged files beside what Great Expectations sees: their schema and rows, how new they are, their joins.

One Spark job a table: workers read footers and token columns with the storage client, and give counts back.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import pyarrow as pa

from etl.audit.footers import Footers, _footers, _FooterTask, together
from etl.audit.orphans import Join, Orphans, TokenSources, _orphans, _parts
from etl.errors import worst_of
from etl.retries import as_value
from etl.spark import SMALL_ROWS
from etl.stage import StagedFile
from masking.errors import KagemushaError

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

_FOOTERS_A_TASK: Final = 16
"""A footer takes milliseconds, about as long as handing a task out."""


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
) -> WorkerCounts:
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
    footers = [
        _FooterTask(place.target, tuple((file.name, file.rows) for file in some), schema, newest_by)
        for some in (files[at : at + _FOOTERS_A_TASK] for at in range(0, len(files), _FOOTERS_A_TASK))
    ]
    parts = [(join, part, parts) for join in joins for parts in [_parts(join)] for part in range(parts)]
    tasks: list[_FooterTask | tuple[Join, int, int]] = [*footers, *parts]
    rows = max([file.rows for file in files] + [join.parent.rows for join in joins], default=0)
    at_once = len(tasks) if rows > SMALL_ROWS or len(footers) > 1 else 1
    outcomes: list[Any] = spark.sparkContext.parallelize(tasks, at_once).map(_runner(place)).collect()
    looked_at, found = outcomes[: len(footers)], outcomes[len(footers) :]
    failures = [one for one in looked_at if isinstance(one, KagemushaError)]
    if failures:
        raise worst_of(failures)
    return WorkerCounts(together(looked_at), {join.column: _added(join, parts, found) for join in joins})


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
