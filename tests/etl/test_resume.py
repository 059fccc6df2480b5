"""`--resume` leaves out exactly what the ledger proves done, and loads the rest."""

from __future__ import annotations

import io
import json
import re
from pathlib import Path

import pytest

from etl.leases import leased
from etl.ledger import Ledger
from etl.progress import JsonLines
from etl.run import daily_run
from tests.etl.conftest import DAY, Issuer

pytestmark = pytest.mark.stack
DONE, OTHER = "clubs", "card_designs"


@pytest.fixture
def contracts(contracts: Path) -> Path:
    """Gives contracts that publish where no other test does, without views."""
    for table in (DONE, OTHER):
        text = (contracts / f"{table}.yaml").read_text(encoding="utf-8")
        (contracts / f"{table}.yaml").write_text(re.sub(r"(?m)^publish: ", "publish: rs_", text), encoding="utf-8")
    for view in (contracts / "views").iterdir():
        view.unlink()
    return contracts


def outcomes(issuer: Issuer, contracts: Path, *tables: str, resume: bool = True) -> tuple[dict[str, str], set[str]]:
    """Runs and gives how each table ended, and the steps that the run told of."""
    told = io.StringIO()
    result = daily_run(issuer.settings, DAY, JsonLines(told), tables, contracts, resume=resume)
    assert result.exit_code == 0, [one.error for one in result.tables]
    steps = {json.loads(line)["step"] for line in told.getvalue().splitlines()}
    return {one.table: one.outcome for one in result.tables}, steps


def test_a_resumed_run_loads_only_what_is_not_proven(issuer: Issuer, contracts: Path) -> None:
    """Done stays done; a changed contract, or a run that held the table since and told nothing, means loading again."""
    assert outcomes(issuer, contracts, DONE, resume=False)[0] == {DONE: "published"}
    assert outcomes(issuer, contracts, DONE, OTHER)[0] == {DONE: "already loaded", OTHER: "published"}
    again, steps = outcomes(issuer, contracts, DONE, OTHER)
    assert again == {DONE: "already loaded", OTHER: "already loaded"}
    assert steps == {"already loaded"}
    path = contracts / f"{DONE}.yaml"
    path.write_text(path.read_text(encoding="utf-8").replace("about: One", "about: Exactly one", 1), encoding="utf-8")
    assert outcomes(issuer, contracts, DONE, OTHER)[0] == {DONE: "published", OTHER: "already loaded"}
    with leased(Ledger(issuer.warehouse), "killed-later", [_published(contracts, OTHER)], 60):
        pass
    assert outcomes(issuer, contracts, DONE, OTHER)[0] == {DONE: "already loaded", OTHER: "published"}


def _published(contracts: Path, table: str) -> str:
    found = re.search(r"(?m)^publish: (\S+)", (contracts / f"{table}.yaml").read_text(encoding="utf-8"))
    assert found is not None
    return found[1]
