"""`--resume` leaves out exactly what the ledger proves done, and loads the rest."""

from __future__ import annotations

import io
import json
import re
from pathlib import Path

import pytest

from etl.ledger import Ledger, leased
from etl.ledger.lease_rows import LeaseHeld
from etl.progress import JsonLines
from etl.run.daily import daily_run
from etl.run.results import RunResult
from tests.etl.conftest import DAY, Issuer

pytestmark = pytest.mark.stack
DONE, OTHER = "clubs", "card_designs"


@pytest.fixture
def contracts(contracts: Path) -> Path:
    """Returns contracts that publish where no other test does, without views."""
    for table in (DONE, OTHER):
        text = (contracts / f"{table}.yaml").read_text(encoding="utf-8")
        (contracts / f"{table}.yaml").write_text(re.sub(r"(?m)^publish: ", "publish: rs_", text), encoding="utf-8")
    for view in (contracts / "views").iterdir():
        view.unlink()
    return contracts


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

    path = contracts / f"{DONE}.yaml"
    path.write_text(path.read_text(encoding="utf-8").replace("about: One", "about: Exactly one", 1), encoding="utf-8")
    with leased(Ledger(issuer.warehouse), "killed-later", [_published(contracts, OTHER)], 60):
        pass
    assert outcomes(resumed(issuer, contracts, DONE, OTHER)[0]) == {DONE: "published", OTHER: "published"}

    again, steps = resumed(issuer, contracts, DONE, OTHER)
    assert outcomes(again) == {DONE: "already loaded", OTHER: "already loaded"}
    assert again.exit_code == 0
    assert steps == {"already loaded"}

    with leased(Ledger(issuer.warehouse), "at-work", [_published(contracts, OTHER)], 60):
        beside, _ = resumed(issuer, contracts, DONE, OTHER)
        assert outcomes(beside) == {DONE: "already loaded", OTHER: "failed: LeaseHeld"}
        assert beside.exit_code == 3
        with pytest.raises(LeaseHeld, match=r"is held by run at-work since .* No row was read"):
            resumed(issuer, contracts, OTHER)


def _published(contracts: Path, table: str) -> str:
    found = re.search(r"(?m)^publish: (\S+)", (contracts / f"{table}.yaml").read_text(encoding="utf-8"))
    assert found is not None
    return found[1]
