"""Random schedules of `scripts/faults.py --random`, few enough for every day: whatever comes together is mended."""

from __future__ import annotations

import shutil
from collections.abc import Iterator

import pytest

from scripts.fault_injection.field import CONTRACTS, Field, field_on
from scripts.fault_injection.schedule import POOL, Schedule, schedules, tried_schedule
from scripts.local_stack.local_stack import Endpoints

pytestmark = [pytest.mark.stack, pytest.mark.usefixtures("spark"), pytest.mark.timeout(900)]
SEED, COUNT = 7, 3
TABLES = ("followers", "gifts")
SHARED = [point for point in POOL if not point.alone and not point.own_process]


@pytest.fixture(scope="module")
def played(stack: Endpoints, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Field]:
    """Yields a field on the tests' own stack, with one table that is merged and one by business days."""
    folder = tmp_path_factory.mktemp("schedules")
    (folder / "contracts").mkdir()
    for table in TABLES:
        shutil.copy(CONTRACTS / f"{table}.yaml", folder / "contracts")
    with field_on(stack, folder, contracts=folder / "contracts", keys_change=True) as made:
        yield made


@pytest.mark.parametrize("number", range(COUNT))
def test_what_comes_together_is_mended(played: Field, number: int) -> None:
    """No row is lost, doubled, torn or leaked, and nothing is left over, once undisturbed runs have followed."""
    schedule = list(schedules(SEED, COUNT, TABLES, SHARED))[number]
    outcome = tried_schedule(played, schedule)
    assert not outcome.wrong, f"{schedule}: {outcome.outcome}"


def test_tokens_whose_worker_is_lost_are_renewed_again(played: Field) -> None:
    """A worker that is killed as it stages a token map ends the renewal with a reason, not with a foreign error."""
    (point,) = [point for point in POOL if point.name == "worker-after-upload"]
    outcome = tried_schedule(played, Schedule("lost worker", "retokenize", (point,)))
    assert outcome.outcome.startswith("stopped (exit 3): Workers were lost"), outcome.outcome


def test_a_seed_draws_the_same_schedules() -> None:
    """A failure can be told by seed and number; schedules have one to five disturbances, and each kind comes up."""
    drawn = [str(one) for one in schedules(SEED, 200, TABLES)]
    assert drawn == [str(one) for one in schedules(SEED, 200, TABLES)]
    assert len(set(drawn)) > 190
    found = list(schedules(SEED, 200, TABLES))
    assert {len(one.points) for one in found} == {1, 2, 3, 4, 5}
    assert {point.name for one in found for point in one.points} == {point.name for point in POOL}
    assert {one.kind for one in found} == {"daily", "resume", "backfill", "retokenize"}
