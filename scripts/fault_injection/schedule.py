"""Random schedules: one to five disturbances at random points of one run; the next runs must mend it all.

A seed and a number name a schedule. One that fails is shrunk: disturbances are left out as long as it still fails.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import timedelta
from io import StringIO
from typing import Final, Literal

from etl.progress import JsonLines
from etl.run.backfill import backfill
from etl.run.daily import daily_run
from etl.settings import Settings
from etl.upkeep.retokenize.retokenize import retokenize
from schemas.business_days import Window
from scripts.fault_injection.field import DAY, Field
from scripts.fault_injection.point import Point, moment
from scripts.fault_injection.points import POINTS
from scripts.fault_injection.points_world import rotates
from scripts.fault_injection.reader import reading
from scripts.fault_injection.trial import Outcome, compared, ended_of, leaked

Kind = Literal["daily", "resume", "backfill"]
_KINDS: Final[tuple[Kind, ...]] = ("daily", "daily", "resume", "backfill")
_STEPS: Final = ("stage", "audit", "publish", "published")
DAYS: Final = Window(DAY - timedelta(days=1), DAY)
"""The business days that a daily run loads too."""
_MOST: Final = 5
_RUNS: Final = 3
"""So many undisturbed runs may follow: one mends, one more where the first met what the disturbed one still held."""


def renews(played: Field) -> None:
    """Keys are rotated, and published tokens renewed, when the disturbed run has ended."""
    rotates(played)
    retokenize(played.settings, JsonLines(StringIO()), (), played.folder)


POOL: Final[tuple[Point, ...]] = (
    *(point for point in POINTS if not point.own_process and not point.federated),
    moment("tokens-renewed", "keys rotated, tokens renewed after the run", ("gifts", "stage"), rotates, undo=renews),
)


@dataclass(frozen=True)
class Schedule:
    """What is to go wrong in one run.

    Attributes:
        name: seed and number.
        kind: of the disturbed run.
        points: the disturbances at their places.
    """

    name: str
    kind: Kind
    points: tuple[Point, ...]

    def __str__(self) -> str:
        return f"{self.kind}: {', '.join(f'{point.name} at {_place(point)}' for point in self.points)}"


def _place(point: Point) -> str:
    if point.rule is not None:
        return f"request {point.rule.first}"
    return " ".join(point.at or ())


def schedules(seed: int, count: int, tables: Sequence[str]) -> Iterator[Schedule]:
    """Yields the schedules of a seed; the same ones every time."""
    for number in range(count):
        drawn = random.Random(f"{seed}-{number}")  # noqa: S311  no secret
        points = drawn.sample(POOL, drawn.randint(1, _MOST))
        placed = tuple(_placed(point, drawn, tables) for point in points)
        yield Schedule(f"{seed}-{number}", drawn.choice(_KINDS), placed)


def _placed(point: Point, drawn: random.Random, tables: Sequence[str]) -> Point:
    """Returns a point moved to a random place: another request of its kind, or another table's step."""
    if point.rule is not None:
        return replace(point, rule=replace(point.rule, first=drawn.randint(1, 4)))
    return replace(point, at=(drawn.choice(tables), drawn.choice(_STEPS)))


class _Hooks:
    """Hears of every step; at some of them, something happens outside."""

    def __init__(self, played: Field, points: Sequence[Point]) -> None:
        self._field = played
        self._waiting = [point for point in points if point.act is not None]
        self.happened: list[Point] = []

    def say(self, table: str, step: str, **_: object) -> None:
        """A table reached a step."""
        for point in [one for one in self._waiting if one.at == (table, step)]:
            self._waiting.remove(point)
            self.happened.append(point)
            with suppress(Exception):  # there may be nothing yet that it could change
                if point.act is not None:
                    point.act(self._field)


def tried_schedule(played: Field, schedule: Schedule) -> Outcome:
    """Runs one schedule to its end; the field is ready for the next one when it returns."""
    hooks = _Hooks(played, schedule.points)
    rules = [(point.server, rule) for point in schedule.points for rule in point.fresh_rules()]
    storage, bigquery = ([rule for server, rule in rules if server == name] for name in ("storage", "bigquery"))
    with reading(played) as reads, played.storage.following(*storage), played.bigquery.following(*bigquery):
        ended = ended_of(played, _run(played, schedule.kind, hooks))
    problems = [ended.removeprefix("WRONG ")] if ended.startswith("WRONG") else []
    for point in hooks.happened:
        if point.undo is not None:
            point.undo(played)
    played.source("SELECT 1")
    code = _mended(played)
    problems += [f"the last rerun ended with {code}"] if code else []
    found = played.rows()
    lost, doubled = compared(played.today, found)
    values = leaked(played, found)
    problems += [f"{lost} rows lost, {doubled} doubled"] if lost or doubled else []
    problems += [f"a reader saw {place} torn" for place in sorted(set(reads.wrong))]
    problems += [f"{values} values leaked"] if values else []
    problems += [f"left over: {one}" for one in played.left_over()]
    played.turn()
    outcome = f"WRONG: {'; '.join(problems)} ({ended})" if problems else f"{ended} Complete."
    return Outcome(f"random {schedule.name}", str(schedule), outcome, lost, doubled, len(reads.wrong), values)


def _run(played: Field, kind: Kind, hooks: _Hooks) -> Callable[[Settings], tuple[int, str]]:
    """Returns what runs a load of a kind by disturbed settings, and gives its exit code and reason."""

    def run(settings: Settings) -> tuple[int, str]:
        if kind == "backfill":
            done = backfill(settings, DAYS, hooks, (), played.folder)
            return done.exit_code, done.reason
        result = daily_run(settings, DAY, hooks, (), played.folder, resume=kind == "resume")
        return result.exit_code, result.reason

    return run


def _mended(played: Field) -> int:
    """Runs undisturbed until all is well; gives the last exit code."""
    code = 0
    for _ in range(_RUNS):
        code = played.run().exit_code
        if not code:
            break
    return code


def shrunk(played: Field, schedule: Schedule) -> Schedule:
    """Returns the shortest schedule, found by leaving disturbances out one by one, that still fails."""
    for point in schedule.points:
        fewer = replace(schedule, points=tuple(one for one in schedule.points if one is not point))
        if fewer.points and tried_schedule(played, fewer).wrong:
            return shrunk(played, fewer)
    return schedule
