"""A source that has drifted from its contract stops the plan: before a row is read, with what to write instead."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from etl.entry import guarded, load_day
from etl.handoff import TablePlan
from etl.plan import plan_table
from etl.source.connect import Endpoint, control_connection
from etl.source.postgres import PostgresSession
from schemas.contract_file import load_contract
from tests.etl.conftest import DAY, Issuer
from tests.etl.refusing import state

pytestmark = pytest.mark.stack
TABLE = "clubs"  # the smallest one


def _run_fails(issuer: Issuer, contracts: Path, capsys: pytest.CaptureFixture[str]) -> str:
    """Runs one table whose plan must be refused; gives what is printed, after proving that nothing else happened."""
    before = state(issuer, without=("ops",))
    capsys.readouterr()
    assert guarded(lambda: load_day(str(DAY), [TABLE], issuer.ends.settings, contracts)) == 2
    assert state(issuer, without=("ops",)) == before
    printed = capsys.readouterr().out
    assert "failed: PlanRejected" in printed
    assert "No row was read." in printed
    return printed


def _planned(issuer: Issuer, contracts: Path) -> TablePlan:
    with control_connection(Endpoint.of(issuer.settings.source)) as connection:
        return plan_table(PostgresSession(connection), load_contract(contracts / f"{TABLE}.yaml"), DAY, 1 << 27)


TYPES = ("text", "jsonb", "inet", "numeric(10,2)", "numeric", "smallint", "timestamptz", "interval", "text[]", "bytea")


@pytest.fixture
def new_columns(issuer: Issuer) -> Iterator[tuple[str, ...]]:
    """Gives a table of the source columns that no contract names, one of each type, and takes them away again."""
    names = tuple(f"new_{number}" for number, _ in enumerate(TYPES))
    added = ", ".join(f"ADD COLUMN {name} {kind}" for name, kind in zip(names, TYPES, strict=True))
    issuer.source(f"ALTER TABLE community.clubs {added}")
    yield names
    issuer.source(f"ALTER TABLE community.clubs {', '.join(f'DROP COLUMN {name}' for name in names)}")


def test_an_undecided_column_is_refused_with_lines_to_paste(
    issuer: Issuer, contracts: Path, new_columns: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    """New columns stop the plan; the printed lines, pasted as they are, let it pass and read nothing."""
    printed = _run_fails(issuer, contracts, capsys)
    assert f"{len(new_columns)} columns of community.clubs have no decision: new_0 (text)" in printed
    lines = [line for line in printed.splitlines() if re.match(r" +new_\d+: \{", line)]
    assert len(lines) == len(new_columns)
    path = contracts / f"{TABLE}.yaml"
    path.write_text(path.read_text(encoding="utf-8").rstrip() + "\n" + "\n".join(lines) + "\n", encoding="utf-8")
    plan = _planned(issuer, contracts)
    assert set(plan.contract.columns) >= set(new_columns)
    assert not set(plan.contract.selected) & set(new_columns)


@pytest.mark.parametrize(
    ("change", "message", "advice"),
    [
        (
            ("columns:\n", "columns:\n  gone: {type: string, class: none, mask: {strategy: drop}}\n"),
            "community.clubs lacks 1 column of the contract: gone.", "Remove the column from the contract",
        ),
        (
            ("name:            {type: string", "name:            {type: int64"),
            "1 column of community.clubs changed type: name is text, the contract says int64.",
            "Correct the column's `type:`",
        ),
        (
            ('support_rate:    {type: "numeric(5,4)"', 'support_rate:    {type: "numeric(4,3)"'),
            "support_rate is numeric(5,4), the contract says numeric(4,3).", "Correct the column's `type:`",
        ),
        (("source: community.clubs", "source: community.club"), "The source has no table community.club", "`source:`"),
    ],
    ids=["missing", "retyped", "narrowed", "no table"],
)  # fmt: skip
def test_drift_is_refused(
    issuer: Issuer,
    contracts: Path,
    capsys: pytest.CaptureFixture[str],
    change: tuple[str, str],
    message: str,
    advice: str,
) -> None:
    """A column that is gone, retyped or wider than the contract, or a table that is gone, stops the plan."""
    path = contracts / f"{TABLE}.yaml"
    text = path.read_text(encoding="utf-8")
    assert change[0] in text
    path.write_text(text.replace(*change), encoding="utf-8")
    printed = _run_fails(issuer, contracts, capsys)
    assert message in printed
    assert advice in printed


def test_an_unreadable_column_is_refused(issuer: Issuer, contracts: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A column that the ETL user may not read is told by name; it takes no query to find out."""
    issuer.source("REVOKE SELECT ON community.clubs FROM etl_reader")
    try:
        printed = _run_fails(issuer, contracts, capsys)
    finally:
        issuer.source("GRANT SELECT ON community.clubs TO etl_reader")
    assert "The ETL user may not read" in printed
    assert "Grant SELECT on the table to the ETL user." in printed
