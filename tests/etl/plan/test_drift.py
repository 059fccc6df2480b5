"""A source that has drifted from its contract stops the plan: before a row is read, with what to write instead."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from etl import errors
from etl.cli import app
from etl.entry import guarded, load_day
from etl.plan import Scope, TablePlan, plan_table
from etl.plan.drift.refuse import ColumnsMissing, ColumnsNullable, ColumnsRenamed, ColumnsRetyped, ColumnsUndecided
from etl.source import hold_snapshot, join_snapshot
from schemas.contract_file import load_contract
from tests.etl.conftest import DAY, Issuer
from tests.etl.run.refusing import state

pytestmark = pytest.mark.stack

TABLE = """\
DROP SCHEMA IF EXISTS drift CASCADE;
CREATE SCHEMA drift;
CREATE TABLE drift.people (
    person_id bigint PRIMARY KEY, denwa text NOT NULL, memo text, score numeric(10,2) NOT NULL,
    seen_at timestamptz NOT NULL
);
GRANT USAGE ON SCHEMA drift TO etl_reader;
GRANT SELECT ON drift.people TO etl_reader
"""
CONTRACT = """\
table: people
about: One row for each person.
source: drift.people
publish: drift.people
load: {mode: merge, watermark: seen_at, deletes: ignore}
key: [person_id]
reconcile: [score]
columns:
  person_id: {type: int64, class: identifier, mask: {strategy: tokenize, domain: person}, nullable: false}
  denwa:     {type: string, class: phone, mask: {strategy: pseudonymize, domain: phone}, nullable: false}
  memo:      {type: string, class: free_text, mask: {strategy: drop}}
  score:     {type: "numeric(10,2)", class: none, mask: {strategy: keep, why: a measure}, nullable: false}
  seen_at:   {type: timestamp, class: none, mask: {strategy: keep, why: a time}, nullable: false}
"""


@pytest.fixture
def people(issuer: Issuer, tmp_path: Path) -> Iterator[Path]:
    """Yields the contract of a table that agrees with it, and takes the table away again."""
    issuer.source(TABLE)
    path = tmp_path / "people.yaml"
    path.write_text(CONTRACT, encoding="utf-8")
    yield path
    issuer.source("DROP SCHEMA drift CASCADE")


def planned(issuer: Issuer, contract: Path) -> TablePlan:
    """Plans one table as a run does."""
    with hold_snapshot(issuer.settings.source) as held, join_snapshot(held.snapshot) as session:
        return plan_table(session, load_contract(contract), Scope(DAY), 1 << 27)


def drift(issuer: Issuer, folder: Path, *arguments: str) -> tuple[int, str]:
    """Runs `kagemusha drift`; returns its exit code and what it prints."""
    where = ["--settings", str(issuer.ends.settings), "--contracts", str(folder)]
    result = CliRunner().invoke(app, ["drift", *where, *arguments])
    return result.exit_code, result.stdout


CHANGES = {
    "new": ("ADD COLUMN nickname text", ColumnsUndecided, "new column", "nickname: {type: string"),
    "missing": ("DROP COLUMN memo", ColumnsMissing, "missing column", "Remove the column"),
    "renamed": ("RENAME denwa TO denwa_bango", ColumnsRenamed, "renamed column", "rename it in the contract"),
    "same place": ("RENAME score TO points", ColumnsRenamed, "renamed column", "rename it in the contract"),
    "retyped": ("ALTER score TYPE numeric(14,4)", ColumnsRetyped, "other type", '"numeric(14,4)"'),
    "may be NULL": ("ALTER score DROP NOT NULL", ColumnsNullable, "may be NULL", "nullable: true"),
    "moved": ("RENAME TO persons", errors.SourceTableMissing, "no table", "source: drift.persons"),
}  # fmt: skip
"""Statement, error of the plan, kind, and a part of the advice; a contract can follow every one of these."""


@pytest.mark.parametrize("change", CHANGES)
def test_drift_is_refused_and_the_diff_heals_it(issuer: Issuer, people: Path, change: str) -> None:
    """Each change stops the plan with an error of its own; `git apply` of the suggested diff heals the contract."""
    statement, error, kind, advice = CHANGES[change]
    issuer.source(f"ALTER TABLE drift.people {statement}")
    with pytest.raises(errors.PlanRejected) as refused:
        planned(issuer, people)
    assert type(refused.value) is error
    assert advice in str(refused.value)
    assert "No row was read." in str(refused.value)
    code, printed = drift(issuer, people.parent, "--format", "json")
    (table,) = json.loads(printed)
    assert (code, table["refused"], [one["kind"] for one in table["drift"]]) == (2, True, [kind])
    _, diff = drift(issuer, people.parent, "--format", "diff")
    subprocess.run(["git", "apply", "-"], cwd=people.parent, input=diff.encode(), check=True)  # noqa: S607
    assert drift(issuer, people.parent) == (0, "1 table compared, 0 would be refused. No row was read.\n")
    assert planned(issuer, people).contract.digest != ""


ONE_COLUMN_LESS = """
REVOKE SELECT ON drift.people FROM etl_reader;
GRANT SELECT (person_id, score, seen_at) ON drift.people TO etl_reader
"""


@pytest.mark.parametrize(
    ("statements", "error", "says"),
    [
        ("REVOKE SELECT ON drift.people FROM etl_reader", errors.SourceForbidden, "GRANT SELECT ON drift.people"),
        (
            ONE_COLUMN_LESS, errors.SourceForbidden, "GRANT SELECT (denwa) ON drift.people",
        ),
        ("REVOKE USAGE ON SCHEMA drift FROM etl_reader", errors.SourceForbidden, "GRANT USAGE ON SCHEMA drift"),
        ("DROP TABLE drift.people", errors.SourceTableMissing, "The source has no table drift.people."),
        ("ALTER TABLE drift.people ALTER seen_at DROP NOT NULL", ColumnsNullable, "time is never read again"),
        ("ALTER TABLE drift.people RENAME score TO ansho_bango", ColumnsUndecided, "class: sensitive_auth"),
        ("ALTER TABLE drift.people RENAME score TO annual_salary", ColumnsUndecided, "annual_salary (numeric(10,2))"),
        (
            "ALTER TABLE drift.people DROP COLUMN memo, ADD COLUMN kana text", ColumnsUndecided,
            "has no decision: kana (text). drift.people lacks 1 column of the contract: memo.",
        ),
    ],
    ids=["table", "column", "schema", "dropped", "watermark", "another thing in its place", "pay", "two kinds"],
)  # fmt: skip
def test_drift_that_people_must_answer(
    issuer: Issuer, people: Path, statements: str, error: type[errors.PlanRejected], says: str
) -> None:
    """A missing privilege is reported as the statement to run; other data is never called a renamed column."""
    issuer.source(statements)
    with pytest.raises(errors.PlanRejected) as refused:
        planned(issuer, people)
    assert type(refused.value) is error
    assert says in str(refused.value)
    assert drift(issuer, people.parent)[0] == 2


def test_a_key_that_nothing_enforces_is_a_warning(issuer: Issuer, people: Path) -> None:
    """Without its unique index the key is warned about, and the table is still read: the audit proves keys itself."""
    issuer.source("ALTER TABLE drift.people DROP CONSTRAINT people_pkey")
    code, printed = drift(issuer, people.parent)
    assert code == 0
    assert "people.person_id: warning: key not enforced" in printed
    assert planned(issuer, people).table == "people"


def test_the_bundled_contracts_agree_with_the_issuer(issuer: Issuer) -> None:
    """All sixteen tables are compared at once, and none has drifted."""
    result = CliRunner().invoke(app, ["drift", "--settings", str(issuer.ends.settings)])
    assert (result.exit_code, result.stdout) == (0, "16 tables compared, 0 would be refused. No row was read.\n")


TYPES = ("text", "jsonb", "inet", "numeric(10,2)", "numeric", "smallint", "timestamptz", "interval", "text[]", "bytea")


@pytest.fixture
def new_columns(issuer: Issuer) -> Iterator[tuple[str, ...]]:
    """Yields a table of the source columns that no contract names, one of each type, and takes them away again."""
    names = tuple(f"new_{number}" for number, _ in enumerate(TYPES))
    added = ", ".join(f"ADD COLUMN {name} {kind}" for name, kind in zip(names, TYPES, strict=True))
    issuer.source(f"ALTER TABLE community.clubs {added}")
    yield names
    issuer.source(f"ALTER TABLE community.clubs {', '.join(f'DROP COLUMN {name}' for name in names)}")


def test_a_run_refuses_with_lines_to_paste(
    issuer: Issuer, contracts: Path, new_columns: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    """New columns stop the table of a run; the printed lines, pasted as they are, let it pass and read nothing."""
    before = state(issuer, without=("ops",))
    capsys.readouterr()
    assert guarded(lambda: load_day(str(DAY), ["clubs"], issuer.ends.settings, contracts).exit_code) == 2
    assert state(issuer, without=("ops",)) == before
    printed = capsys.readouterr().out
    assert "failed: ColumnsUndecided" in printed
    assert f"{len(new_columns)} columns of community.clubs have no decision: new_0 (text)" in printed
    lines = [line for line in printed.splitlines() if re.match(r" +new_\d+: \{", line)]
    assert len(lines) == len(new_columns)
    path = contracts / "clubs.yaml"
    text = path.read_text(encoding="utf-8").rstrip() + "\n" + "\n".join(line[2:] for line in lines) + "\n"
    path.write_text(text, encoding="utf-8")
    plan = planned(issuer, path)
    assert set(plan.contract.columns) >= set(new_columns)
    assert not set(plan.contract.selected) & set(new_columns)
