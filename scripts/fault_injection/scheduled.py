"""Tries a random schedule: the disturbed run, what readers saw, the runs that mend it, and how all ends.

A run that says that all is well must have published all of it, at once. After any other, undisturbed runs must mend
what it left. A schedule that fails is shrunk: disturbances are left out as long as it still fails.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from typing import Final

from etl.errors import worst
from etl.run.backfill import backfill
from etl.run.daily import daily_run
from etl.settings import Settings
from etl.upkeep.retokenize.retokenize import retokenize
from schemas.business_days import Window
from schemas.loads import SnapshotLoad
from scripts.fault_injection.field import DAY, Field, Rows, Silent
from scripts.fault_injection.point import Point
from scripts.fault_injection.points_world import rotates
from scripts.fault_injection.reader import reading, same
from scripts.fault_injection.schedule import Kind, Schedule
from scripts.fault_injection.trial import End, Outcome, ended_of, in_its_own_process, undo

DAYS: Final = Window(DAY - timedelta(days=1), DAY)
"""The business days that a daily run loads too."""
_RUNS: Final = 3
"""So many undisturbed runs may follow: one mends, one more where the first met what the disturbed one still held."""
_DAY: Final = ("--day", str(DAY))
_BACKFILL: Final = ("backfill", "--from", str(DAYS.first), "--to", str(DAYS.last))
_CALLS: Final[Mapping[Kind, tuple[str, ...]]] = {
    "daily": ("run", *_DAY), "resume": ("run", *_DAY), "backfill": _BACKFILL, "retokenize": ("retokenize",),
}  # fmt: skip


class _Hooks:
    """Hears of every step; at some of them, something happens outside."""

    def __init__(self, played: Field, points: Sequence[Point]) -> None:
        self._field = played
        self._waiting = [point for point in points if point.act is not None]
        self._kills = {point.at for point in points if point.own_process}
        self.happened: list[Point] = []
        self.heard = False

    def say(self, table: str, step: str, **_: object) -> None:
        """A table reached a step, in this process."""
        self.hear(table, step)

    def hear(self, table: str, step: str) -> bool:
        """A table reached a step, perhaps in another process; returns whether that is to be killed now."""
        self.heard = self.heard or table in self._field.contracts
        for point in [one for one in self._waiting if one.at == (table, step)]:
            self._waiting.remove(point)
            with suppress(Exception), self._field.doing:  # there may be nothing yet that it could change
                if point.act is not None:
                    point.act(self._field)
                    self.happened.append(point)
        return (table, step) in self._kills


def tried_schedule(played: Field, schedule: Schedule) -> Outcome:
    """Runs one schedule to its end; the field is ready for the next one when it returns."""
    hooks = _Hooks(played, schedule.points)
    rules = [(point.server, point.fresh_rules()) for point in schedule.points]
    storage, bigquery = ([one for at, some in rules if at == name for one in some] for name in ("storage", "bigquery"))
    with reading(played) as reads, played.storage.following(*storage), played.bigquery.following(*bigquery):
        ended = _ended(played, schedule, hooks)
    undo(played, hooks.happened)
    problems, found = [], played.rows()
    if ended.startswith("WRONG"):
        problems.append(ended.removeprefix("WRONG "))
    if ended == "absorbed" and (late := _not_loaded(played, schedule.kind, found)):
        problems.append(f"all was said to be well, and {', '.join(late)} is not today's")
    expected = played.today
    if ended == "absorbed" and schedule.kind == "retokenize" and found == played.yesterday:
        expected = played.yesterday  # nothing was to be loaded
    elif ended != "absorbed" or found != played.today:
        code = _mended(played, schedule.kind, resume=hooks.heard)
        problems += [f"the last rerun ended with {code}"] if code else []
        found = played.rows()
    end = End.of(played, expected, found, reads)
    problems += end.problems
    if expected is played.today:
        played.turn()
    fired = sum(some[0].fired > 0 for _, some in rules if some)
    outcome = f"WRONG: {'; '.join(problems)} ({ended})" if problems else f"{ended} Complete."
    return Outcome(
        f"random {schedule.name}", str(schedule), outcome, end.lost, end.doubled, len(reads.wrong), end.leaked,
        happened=len(hooks.happened) + fired,
    )  # fmt: skip


def _not_loaded(played: Field, kind: Kind, found: Rows) -> list[str]:
    """Returns the destinations that a run of a kind loads and that do not hold today's rows."""
    tables = set() if kind == "retokenize" else set(_tables(played, kind))
    places = [place for place in {*played.today, *found} if place.split()[0] in tables]
    return sorted(place for place in places if not same(found, played.today, place))


def _tables(played: Field, kind: Kind) -> tuple[str, ...]:
    """Returns the tables of a run of a kind: a past day's snapshot cannot be taken."""
    past = kind == "backfill"
    return tuple(name for name, one in played.contracts.items() if not (past and isinstance(one.load, SnapshotLoad)))


def _ended(played: Field, schedule: Schedule, hooks: _Hooks) -> str:
    """Runs the disturbed load, in a process of its own if that may be killed; gives how it ended."""
    if schedule.kind == "retokenize":
        rotates(played)
    if not any(point.own_process for point in schedule.points):
        return ended_of(played, _run(played, schedule.kind, hooks))
    sizes = [point.file_bytes for point in schedule.points if point.file_bytes is not None]
    named = [word for name in _tables(played, "backfill") for word in ("--table", name)]
    call = (*_CALLS[schedule.kind], *(named if schedule.kind == "backfill" else ()))
    return in_its_own_process(played, call, hooks.hear, min(sizes, default=None))


def _run(played: Field, kind: Kind, hooks: _Hooks) -> Callable[[Settings], tuple[int, str]]:
    """Returns what runs a load of a kind by disturbed settings, and gives its exit code and reason."""

    def run(settings: Settings) -> tuple[int, str]:
        if kind == "backfill":
            done = backfill(settings, DAYS, hooks, _tables(played, kind), played.folder)
            return done.exit_code, done.reason
        if kind == "retokenize":
            renewed = retokenize(settings, hooks, (), played.folder)
            return renewed.exit_code, "; ".join(one.error for one in renewed.tables if one.error)
        result = played.run(settings, hooks)
        return result.exit_code, result.reason

    return run


def _mended(played: Field, kind: Kind, *, resume: bool) -> int:
    """Runs undisturbed until all is well; gives the last exit code.

    Args:
        played: the field.
        kind: of the disturbed run; one that is to be resumed is resumed first.
        resume: whether there is anything to resume; else the day was loaded by an earlier trial.
    """
    code = 0
    for number in range(_RUNS):
        resumed = kind == "resume" and resume and not number
        code = daily_run(played.settings, DAY, Silent(), (), played.folder, resume=resumed).exit_code
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
