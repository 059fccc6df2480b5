"""Tables are planned by several sessions under one snapshot, and come out in the order of their contracts."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager

import pytest

from etl.installation import Installation
from etl.ledger import leased
from etl.plan import TablePlan
from etl.run import planning
from etl.run.planning import PlanOrRefusal, plan_tables
from etl.run.request import Run, Selection
from etl.source import Session, Snapshot, hold_snapshot, join_snapshot
from expectations.suite import BUNDLED as SUITES
from schemas.contract_file import BUNDLED as CONTRACTS
from tests.etl.conftest import DAY, Issuer

pytestmark = pytest.mark.stack


@pytest.fixture
def sessions(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, ...]]:
    """Returns the sources of each session that planning opens, as they are opened."""
    opened: list[tuple[str, ...]] = []

    def join(snapshot: Snapshot, sources: Sequence[str]) -> AbstractContextManager[Session]:
        opened.append(tuple(sources))
        return join_snapshot(snapshot, sources)

    monkeypatch.setattr(planning, "join_snapshot", join)
    return opened


def planned(issuer: Issuer, *tables: str) -> tuple[Selection, dict[str, PlanOrRefusal]]:
    """Plans the tables named, or all, as a run does, and returns what was chosen and the plans."""
    settings, run = issuer.settings, Run.begin(DAY, {})
    selection = Selection.read(CONTRACTS, SUITES, tables, settings.bigquery)
    chosen, installation = selection.chosen.values(), Installation.open(settings)
    names, sources = [one.publish for one in chosen], [one.source for one in chosen]
    with (
        leased(installation.ledger, run.run_id, names, 60) as leases,
        hold_snapshot(settings.source, run.run_id, tables=sources) as held,
    ):
        return selection, plan_tables(installation, selection, run, held, leases, 2)


def test_tables_are_planned_by_several_sessions(issuer: Issuer, sessions: list[tuple[str, ...]]) -> None:
    """Every table is planned once, by as many sessions as tables may be loaded at once, in its contract's place."""
    selection, plans = planned(issuer)
    assert list(plans) == list(selection.chosen)
    assert all(isinstance(plan, TablePlan) for plan in plans.values())
    assert len(sessions) == issuer.settings.limits.tables_at_once
    asked = sorted(source for share in sessions for source in share)
    assert asked == sorted(contract.source for contract in selection.chosen.values())


def test_few_tables_need_one_session(issuer: Issuer, sessions: list[tuple[str, ...]]) -> None:
    """What one session plans at once is not given to several: opening one takes longer."""
    _, plans = planned(issuer, "cards", "clubs")
    assert sorted(plans) == ["cards", "clubs"]
    assert len(sessions) == 1
