"""Random schedules: one to five disturbances at random points of one run; the next runs must mend it all.

A seed and a number name a schedule. One that fails is shrunk: disturbances are left out as long as it still fails.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Final, Literal

from etl.errors import worst
from etl.run.backfill import backfill
from etl.run.daily import daily_run
from etl.settings import Settings
from etl.upkeep.retokenize.retokenize import retokenize
from schemas.business_days import Window
from scripts.fault_injection.field import DAY, Field, Silent
from scripts.fault_injection.point import Point
from scripts.fault_injection.points import POINTS
from scripts.fault_injection.points_world import RENEWED, rotates
from scripts.fault_injection.reader import reading
from scripts.fault_injection.trial import Outcome, compared, ended_of, in_its_own_process, leaked

Kind = Literal["daily", "resume", "backfill", "retokenize"]
_KINDS: Final[tuple[Kind, ...]] = ("daily", "daily", "resume", "backfill", "retokenize")
_STEPS: Final = ("stage", "audit", "publish", "published")
DAYS: Final = Window(DAY - timedelta(days=1), DAY)
"""The business days that a daily run loads too."""
_MOST: Final = 5
_FILE_BYTES: Final = 200_000
_RUNS: Final = 3
"""So many undisturbed runs may follow: one mends, one more where the first met what the disturbed one still held."""
_CALLS: Final[Mapping[Kind, tuple[str, ...]]] = {
    "daily": ("run", "--day", str(DAY)),
    "resume": ("run", "--day", str(DAY), "--resume"),
    "backfill": ("backfill", "--from", str(DAYS.first), "--to", str(DAYS.last)),
    "retokenize": ("retokenize",),
}
POOL: Final[tuple[Point, ...]] = (*(point for point in POINTS if not point.federated), RENEWED)
"""What may be drawn."""


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


def schedules(seed: int, count: int, tables: Sequence[str], pool: Sequence[Point] = POOL) -> Iterator[Schedule]:
    """Yields the schedules of a seed; the same ones every time."""
    for number in range(count):
        drawn = random.Random(f"{seed}-{number}")  # noqa: S311  no secret
        points = drawn.sample(pool, drawn.randint(1, _MOST))
        placed = tuple(_placed(point, drawn, tables) for point in points)
        yield Schedule(f"{seed}-{number}", drawn.choice(_KINDS), placed)


def _placed(point: Point, drawn: random.Random, tables: Sequence[str]) -> Point:
    """Returns a point moved to a random place: another request of its kind, or another table's step."""
    if point.rule is not None:
        return replace(point, rule=replace(point.rule, first=drawn.randint(1, 4)))
    if point.file_bytes is not None:
        return replace(point, file_bytes=drawn.randrange(_FILE_BYTES))
    return replace(point, at=(drawn.choice(tables), drawn.choice(_STEPS)))


class _Hooks:
    """Hears of every step; at some of them, something happens outside."""

    def __init__(self, played: Field, points: Sequence[Point]) -> None:
        self._field = played
        self._waiting = [point for point in points if point.act is not None]
        self._kills = {point.at for point in points if point.own_process}
        self.happened: list[Point] = []

    def say(self, table: str, step: str, **_: object) -> None:
        """A table reached a step, in this process."""
        self.hear(table, step)

    def hear(self, table: str, step: str) -> bool:
        """A table reached a step, perhaps in another process; returns whether that is to be killed now."""
        for point in [one for one in self._waiting if one.at == (table, step)]:
            self._waiting.remove(point)
            self.happened.append(point)
            with suppress(Exception):  # there may be nothing yet that it could change
                if point.act is not None:
                    point.act(self._field)
        return (table, step) in self._kills


def tried_schedule(played: Field, schedule: Schedule) -> Outcome:
    """Runs one schedule to its end; the field is ready for the next one when it returns."""
    hooks = _Hooks(played, schedule.points)
    rules = [(point.server, rule) for point in schedule.points for rule in point.fresh_rules()]
    storage, bigquery = ([rule for server, rule in rules if server == name] for name in ("storage", "bigquery"))
    with reading(played) as reads, played.storage.following(*storage), played.bigquery.following(*bigquery):
        ended = _ended(played, schedule, hooks)
    problems = [ended.removeprefix("WRONG ")] if ended.startswith("WRONG") else []
    for point in hooks.happened:
        if point.undo is not None:
            point.undo(played)
    played.source("SELECT 1")
    code = _mended(played, schedule.kind)
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


def _ended(played: Field, schedule: Schedule, hooks: _Hooks) -> str:
    """Runs the disturbed load, in a process of its own if that may be killed; gives how it ended."""
    if schedule.kind == "retokenize":
        rotates(played)
    if not any(point.own_process for point in schedule.points):
        return ended_of(played, _run(played, schedule.kind, hooks))
    sizes = [point.file_bytes for point in schedule.points if point.file_bytes is not None]
    return in_its_own_process(played, _CALLS[schedule.kind], hooks.hear, min(sizes, default=None))


def _run(played: Field, kind: Kind, hooks: _Hooks) -> Callable[[Settings], tuple[int, str]]:
    """Returns what runs a load of a kind by disturbed settings, and gives its exit code and reason."""

    def run(settings: Settings) -> tuple[int, str]:
        if kind == "backfill":
            done = backfill(settings, DAYS, hooks, (), played.folder)
            return done.exit_code, done.reason
        if kind == "retokenize":
            renewed = retokenize(settings, hooks, (), played.folder)
            return renewed.exit_code, "; ".join(one.error for one in renewed.tables if one.error)
        result = daily_run(settings, DAY, hooks, (), played.folder, resume=kind == "resume")
        return result.exit_code, result.reason

    return run


def _mended(played: Field, kind: Kind) -> int:
    """Runs undisturbed until all is well; gives the last exit code."""
    code = 0
    for _ in range(_RUNS):
        code = played.run().exit_code
        if kind == "retokenize":
            code = worst(code, retokenize(played.settings, Silent(), (), played.folder).exit_code)
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
