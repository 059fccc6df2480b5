"""The most telling points of `make faults`, in this process: after each, nothing is lost, doubled or left behind."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from scripts.fault_injection.make_field import CONTRACTS, Fields
from scripts.fault_injection.points import POINTS
from scripts.fault_injection.trial import tried
from scripts.local_stack.local_stack import Endpoints

pytestmark = [pytest.mark.stack, pytest.mark.usefixtures("spark")]
EXPECTED = {
    "load-lost": "absorbed",
    "approved-overwritten": "stopped (exit 3)",
    "worker-in-upload": "stopped (exit 3)",
    "source-ends-stage": "stopped (exit 3)",
    "mysql-table-emptied": "stopped (exit 1)",
    "mysql-becomes-writer": "stopped (exit 3)",
    "mysql-dies-in-read": "stopped (exit 3)",
}


@pytest.fixture(scope="module")
def played(stack: Endpoints, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fields]:
    """Yields fields on the tests' own stack, with one table that is replaced whole and one by business days."""
    folder = tmp_path_factory.mktemp("faults")
    (folder / "contracts").mkdir()
    for table in ("teams", "gifts"):
        shutil.copy(CONTRACTS / f"{table}.yaml", folder / "contracts")
    with ExitStack() as made:
        yield Fields(stack, folder, made, contracts=folder / "contracts")


@pytest.mark.parametrize("name", EXPECTED)
def test_a_disturbed_run_and_the_next_one_end_as_one_run(played: Fields, name: str) -> None:
    """The fault happens; readers see yesterday's rows or today's all the time; in the end, today's and nothing else."""
    (point,) = [point for point in POINTS if point.name == name]
    outcome = tried(played.of(point.engine or "postgres"), point)
    assert (outcome.rows_lost, outcome.rows_doubled, outcome.stale_reads, outcome.leaked_values) == (0, 0, 0, 0), (
        outcome
    )
    assert outcome.outcome.startswith(EXPECTED[name]), outcome
