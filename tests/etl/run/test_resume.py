"""`--resume` leaves out exactly what the ledger proves done, and loads the rest."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest

from etl.ledger import Ledger, leased
from etl.ledger.lease_rows import LeaseHeld
from etl.progress import JsonLines
from etl.run.daily import daily_run
from etl.run.record.results import RunResult
from schemas.contract_file import load_contracts
from tests.etl.conftest import DAY, Issuer, Republish
from tests.etl.republishing import edit

pytestmark = pytest.mark.stack
DONE, OTHER = "clubs", "card_designs"


@pytest.fixture
def contracts(republished: Republish) -> Path:
    """Returns the contracts of both tables, without views."""
    return republished("rs", DONE, OTHER)


def resumed(issuer: Issuer, contracts: Path, *tables: str) -> tuple[RunResult, set[str]]:
    """Runs with `resume` and gives how the tables ended, and the steps that the run told of."""
    told = io.StringIO()
    result = daily_run(issuer.settings, DAY, JsonLines(told), tables, contracts, resume=True)
    return result, {json.loads(line)["step"] for line in told.getvalue().splitlines()}


def outcomes(result: RunResult) -> dict[str, str]:
    """Returns how each table ended."""
    return {one.table: one.outcome for one in result.tables}


def test_a_resumed_run_loads_only_what_is_not_proven(issuer: Issuer, contracts: Path) -> None:
    """Done stays done; a changed contract, or a run that held the table since and told nothing, means loading again."""
    assert outcomes(resumed(issuer, contracts, DONE)[0]) == {DONE: "published"}
    assert outcomes(resumed(issuer, contracts, DONE, OTHER)[0]) == {DONE: "already loaded", OTHER: "published"}

    edit(contracts / f"{DONE}.yaml", "en: One", "en: Exactly one")
    held = load_contracts(contracts)[OTHER].publish
    with leased(Ledger(issuer.warehouse), "killed-later", [held], 60):
        pass
    assert outcomes(resumed(issuer, contracts, DONE, OTHER)[0]) == {DONE: "published", OTHER: "published"}

    again, steps = resumed(issuer, contracts, DONE, OTHER)
    assert outcomes(again) == {DONE: "already loaded", OTHER: "already loaded"}
    assert again.exit_code == 0
    assert steps == {"already loaded"}

    with leased(Ledger(issuer.warehouse), "at-work", [held], 60):
        beside, _ = resumed(issuer, contracts, DONE, OTHER)
        assert outcomes(beside) == {DONE: "already loaded", OTHER: "failed: LeaseHeld"}
        assert beside.exit_code == 3
        with pytest.raises(LeaseHeld, match=r"is held by run at-work since .* No row was read"):
            resumed(issuer, contracts, OTHER)
