"""Random schedules of `scripts/faults.py --random`, one of each kind of run: all is mended."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from scripts.fault_injection.make_field import CONTRACTS, Fields
from scripts.fault_injection.schedule import POOL, Schedule, schedules
from scripts.fault_injection.scheduled import tried_schedule
from scripts.local_stack.local_stack import Endpoints

pytestmark = [pytest.mark.stack, pytest.mark.usefixtures("spark"), pytest.mark.timeout(900)]
SEED, COUNT = 191, 12
"""Of so many draws each kind of run comes up on each engine. `make faults-random` tries as many as one likes."""
TABLES = ("followers", "gifts")
SHARED = [point for point in POOL if not point.alone]
KINDS = {(kind, engine) for kind in ("daily", "resume", "backfill", "retokenize") for engine in ("postgres", "mysql")}
TRIED = {("daily", "postgres"), ("resume", "postgres"), ("backfill", "mysql"), ("retokenize", "mysql")}
"""With every change: each kind of run once, and both engines."""
DRAWN = {(one.kind, one.engine): one for one in schedules(SEED, COUNT, TABLES, SHARED)}


@pytest.fixture(scope="module")
def played(stack: Endpoints, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fields]:
    """Yields fields on the tests' own stack, with one table that is merged and one by business days."""
    folder = tmp_path_factory.mktemp("schedules")
    (folder / "contracts").mkdir()
    for table in TABLES:
        shutil.copy(CONTRACTS / f"{table}.yaml", folder / "contracts")
    with ExitStack() as made:
        yield Fields(stack, folder, made, contracts=folder / "contracts", keys_change=True)


@pytest.mark.parametrize("kind", sorted(TRIED), ids="-".join)
def test_what_comes_together_is_mended(played: Fields, kind: tuple[str, str]) -> None:
    """No row is lost, doubled, torn or leaked, and nothing is left over, once undisturbed runs have followed."""
    schedule = DRAWN[kind]
    outcome = tried_schedule(played.of(schedule.engine), schedule)
    assert not outcome.wrong, f"{schedule}: {outcome.outcome}"


def test_tokens_whose_worker_is_lost_are_renewed_again(played: Fields) -> None:
    """A worker that is killed as it stages a token map ends the renewal with a reason, not with a foreign error."""
    (point,) = [point for point in POOL if point.name == "worker-after-upload"]
    outcome = tried_schedule(played.of("postgres"), Schedule("lost worker", "retokenize", (point,)))
    assert outcome.outcome.startswith("stopped (exit 3): Workers were lost"), outcome.outcome


def test_each_kind_of_run_is_disturbed_on_each_engine() -> None:
    """The few draws leave none out, and those of every change leave out no kind and no engine."""
    assert set(DRAWN) == KINDS
    assert [{names[place] for names in TRIED} for place in (0, 1)] == [
        {names[place] for names in KINDS} for place in (0, 1)
    ]


def test_a_seed_draws_the_same_schedules() -> None:
    """A failure can be told by seed and number; schedules have one to five disturbances, and each kind comes up."""
    found = list(schedules(SEED, 2000, TABLES))
    drawn = [str(one) for one in found]
    assert drawn == [str(one) for one in schedules(SEED, 2000, TABLES)]
    assert len(set(drawn)) > 1900
    assert {len(one.points) for one in found} == {1, 2, 3, 4, 5}
    assert {point.name for one in found for point in one.points} == {point.name for point in POOL}
    assert {(one.kind, one.engine) for one in found} == KINDS
