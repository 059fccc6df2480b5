"""Random schedules: one to five disturbances at random points of one run, each drawn by a seed and a number."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final, Literal

from scripts.fault_injection.point import Engine, Point
from scripts.fault_injection.points import POINTS
from scripts.fault_injection.points_world import RENEWED

Kind = Literal["daily", "resume", "backfill", "retokenize"]
_KINDS: Final[tuple[Kind, ...]] = ("daily", "daily", "resume", "backfill", "retokenize")
_ENGINES: Final[tuple[Engine, ...]] = ("postgres", "postgres", "postgres", "mysql")
_STEPS: Final = ("stage", "audit", "publish", "published")
_MOST: Final = 5
_FIRST: Final = (1, 1, 1, 2, 2, 3, 4)
"""The how manieth request is disturbed: of many kinds a run sends only one or two."""
_FILE_BYTES: Final = 200_000
_ONE_IN_KILLS: Final = 15
"""One schedule in so many kills its driver, or lets it write no files: each starts Python and a JVM anew."""
POOL: Final[tuple[Point, ...]] = (*(point for point in POINTS if not point.federated), RENEWED)
"""What may be drawn."""


@dataclass(frozen=True)
class Schedule:
    """What is to go wrong in one run.

    Attributes:
        name: seed and number.
        kind: of the disturbed run.
        points: the disturbances at their places.
        engine: of the source.
    """

    name: str
    kind: Kind
    points: tuple[Point, ...]
    engine: Engine = "postgres"

    def __str__(self) -> str:
        placed = ", ".join(f"{point.name} at {_place(point)}" for point in self.points)
        return f"{self.engine}, {self.kind}: {placed}"


def _place(point: Point) -> str:
    if point.rule is not None:
        return f"request {point.rule.first}"
    return " ".join(point.at or ())


def schedules(seed: int, count: int, tables: Sequence[str], pool: Sequence[Point] = POOL) -> Iterator[Schedule]:
    """Yields the schedules of a seed; the same ones every time."""
    for number in range(count):
        drawn = random.Random(f"{seed}-{number}")  # noqa: S311  no secret
        engine = drawn.choice(_ENGINES)
        points = tuple(_placed(point, drawn, tables) for point in _drawn(drawn, engine, pool))
        yield Schedule(f"{seed}-{number}", drawn.choice(_KINDS), points, engine)


def _drawn(drawn: random.Random, engine: Engine, pool: Sequence[Point]) -> list[Point]:
    """Returns one to five disturbances of a source of this kind; on MySQL, one at least is of MySQL's own."""
    fit = [point for point in pool if point.engine in {None, engine}]
    points = drawn.sample([point for point in fit if not point.own_process], drawn.randint(1, _MOST))
    kills = [point for point in fit if point.own_process]
    own = [point for point in fit if point.engine == engine == "mysql"]
    if own and not any(point in own for point in points):
        points[0] = drawn.choice(own)
    if kills and not drawn.randrange(_ONE_IN_KILLS):
        points[-1] = drawn.choice(kills)
    return points


def _placed(point: Point, drawn: random.Random, tables: Sequence[str]) -> Point:
    """Returns a point moved to a random place: another request of its kind, or another table's step."""
    if point.rule is not None:
        return replace(point, rule=replace(point.rule, first=drawn.choice(_FIRST)))
    if point.file_bytes is not None:
        return replace(point, file_bytes=drawn.randrange(_FILE_BYTES))
    return replace(point, at=(drawn.choice(tables), drawn.choice(_STEPS)))
