"""The reading as one Spark job a table: workers look at shares of the files and look joins up, and give counts back.

Of rows that must be unique, workers exchange hashes, each part of them among all shares; values they do not exchange.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from etl.audit.hashes import repeated
from etl.audit.orphans import Join, Orphans, TokenSources, _orphans, _parts
from etl.audit.reading.files import HashPart, Share, look_at
from etl.audit.reading.seen import Rules, Seen
from etl.errors import worst_of
from etl.retries import as_value
from etl.spark import SMALL_ROWS
from etl.stage import StagedFile
from masking.errors import KagemushaError

if TYPE_CHECKING:
    from pyspark.sql import SparkSession


_SHARES: Final = 64
"""The most shares that files are looked at in, where none of them becomes too large."""
_ROWS_A_SHARE: Final = 2_000_000
_ROWS_A_PART: Final = 2_000_000
"""Hashes that one task compares: 16 MiB, twice while it sorts them."""


@dataclass(frozen=True)
class Found:
    """What the workers found; a join that could not be looked up is an error in its place."""

    seen: Seen
    orphans: Mapping[str, Orphans | KagemushaError]


@dataclass(frozen=True)
class _LookUp:
    """One part of a join, and its number among the tasks."""

    join: Join
    part: int
    parts: int


_Task = Share | _LookUp
_Outcome = Seen | HashPart | tuple[str, Orphans | KagemushaError] | KagemushaError


def read_staged(
    spark: SparkSession, place: TokenSources, files: Sequence[StagedFile], rules: Rules, joins: Sequence[Join] = ()
) -> Found:
    """Looks at every file once, and looks every join up.

    Args:
        spark: the session.
        place: where the workers read.
        files: the manifest's.
        rules: what to look for.
        joins: what to look up.

    Raises:
        KagemushaError: storage did not give a file.
    """
    rows = sum(file.rows for file in files)
    look_ups = [_LookUp(join, part, parts) for join in joins for parts in [_parts(join)] for part in range(parts)]
    tasks: list[_Task] = [*map(Share, _shares([(file.name, file.rows) for file in files])), *look_ups]
    large = max([rows] + [join.parent.rows for join in joins]) > SMALL_ROWS
    at_once = len(tasks) if large else 1
    parts = max(1, -(-rows // _ROWS_A_PART)) if large and rules.unique else 1
    found = spark.sparkContext.parallelize(tasks, at_once).flatMap(_runner(place, rules, parts))
    if at_once > 1 and rules.unique:
        found = found.map(_placed).partitionBy(parts, int).values()
    outcomes: list[_Outcome] = found.mapPartitions(_compared).collect()
    failures = [one for one in outcomes if isinstance(one, KagemushaError)]
    if failures:
        raise worst_of(failures)
    seen = sum((one for one in outcomes if isinstance(one, Seen)), Seen())
    orphans = [one for one in outcomes if isinstance(one, tuple)]
    return Found(seen, {join.column: _added(join, orphans) for join in joins})


def _shares(files: Sequence[tuple[str, int]]) -> list[tuple[tuple[str, int], ...]]:
    """Returns the files in shares of about as many rows: one share where they are few, so that one task does it all."""
    rows = sum(count for _, count in files)
    wanted = max(1, min(len(files), max(-(-rows // _ROWS_A_SHARE), min(_SHARES, rows // SMALL_ROWS))))
    return [tuple(files[number::wanted]) for number in range(wanted)]


def _runner(place: TokenSources, rules: Rules, parts: int) -> Callable[[_Task], Sequence[_Outcome]]:
    """Returns what does one task, whose error is an outcome too."""

    def run(task: _Task) -> Sequence[_Outcome]:
        if isinstance(task, Share):
            found = as_value(lambda: look_at(place.target, task, rules, parts))
            return [found] if isinstance(found, KagemushaError) else found
        column = task.join.column
        return [(column, as_value(lambda: _orphans(place, task.join, task.part, task.parts), column=column))]

    return run


def _placed(outcome: _Outcome) -> tuple[int, _Outcome]:
    """Returns an outcome with the part that it is compared in."""
    return (outcome.part if isinstance(outcome, HashPart) else 0), outcome


def _compared(outcomes: Iterable[_Outcome]) -> Iterator[_Outcome]:
    """Yields the outcomes of one partition; instead of hashes, the rules of which one came twice."""
    hashes: dict[int, list[Any]] = {}
    for outcome in outcomes:
        if isinstance(outcome, HashPart):
            hashes.setdefault(outcome.rule, []).append(outcome.hashes)
        else:
            yield outcome
    yield Seen(repeats=frozenset(rule for rule in list(hashes) if repeated(hashes.pop(rule))))


def _added(join: Join, found: Sequence[tuple[str, Orphans | KagemushaError]]) -> Orphans | KagemushaError:
    own = [one for column, one in found if column == join.column]
    failures = [one for one in own if isinstance(one, KagemushaError)]
    if failures:
        return worst_of(failures)
    counted = [one for one in own if isinstance(one, Orphans)]
    return Orphans(join.column, sum(one.failed for one in counted), sum(one.checked for one in counted))
