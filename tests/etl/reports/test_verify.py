"""BigQuery, ledger and source are compared, and the ledger tells how tables and runs stand."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from etl.cli import app
from etl.clock import now
from etl.cloud.storage import StagingBucket, StagingLocation
from etl.ledger import Ledger
from etl.run.record.results import RunResult
from etl.settings import load_settings
from schemas.business_days import previous_business_day
from tests.etl.changed_settings import settings_file
from tests.etl.conftest import DAY, Issuer, Republish
from tests.etl.republishing import edit

pytestmark = pytest.mark.stack
WHOLE, BY_DAY = "admin_users", "rewards"


@dataclass(frozen=True)
class Books:
    """Two tables that were loaded by a run of this module, with a ledger of their own."""

    issuer: Issuer
    settings: Path
    folder: Path
    ledger: Ledger
    run: RunResult

    def command(self, *arguments: str) -> Result:
        """Runs a command in this process."""
        given = [*arguments, "--settings", str(self.settings)]
        given += ["--contracts", str(self.folder)] if arguments[0] != "runs" else []
        return CliRunner().invoke(app, given)

    def verdicts(self) -> tuple[int, dict[tuple[str, str, str], str]]:
        """Returns the exit code of `verify` and each comparison's verdict."""
        done = self.command("verify", "--day", str(DAY))
        cells = [re.split(r"\s*│\s*", line.strip("│ ")) for line in done.stdout.splitlines() if line.startswith("│")]
        return done.exit_code, {
            (table, measure, against): verdict for table, measure, against, _, _, verdict, *_ in cells
        }

    def change(self, sql: str) -> None:
        """Changes what BigQuery holds."""
        self.ledger.warehouse.client.query_and_wait(sql)


@pytest.fixture(scope="module")
def books(issuer: Issuer, republished: Republish, tmp_path_factory: pytest.TempPathFactory) -> Books:
    """Returns the tables, just loaded."""
    folder = republished("bk", WHOLE, BY_DAY)
    settings = settings_file(issuer.ends, tmp_path_factory.mktemp("books"), bigquery__ops_dataset='"bk_ops"')
    loaded = load_settings(settings)
    run = issuer.load(DAY, WHOLE, BY_DAY, contracts=folder, settings=loaded)
    return Books(issuer, settings, folder, Ledger.of(loaded), run)


def test_what_was_just_loaded_agrees(books: Books) -> None:
    """Right after a load nothing differs: rows against ledger and source, and sums against the source."""
    code, verdicts = books.verdicts()
    assert code == 0
    assert set(verdicts.values()) == {"equal"}
    assert {key[1:] for key in verdicts} >= {("rows", "ledger"), ("rows", "source"), ("sum(points)", "source")}


def test_a_lost_row_is_found(books: Books) -> None:
    """A row that is gone from BigQuery makes counts and sums differ; one that was erased on purpose does not."""
    books.change(f"CREATE OR REPLACE TABLE bk_ops.kept AS SELECT * FROM bk_community.{BY_DAY}")
    one = f"(SELECT MAX(reward_id) FROM bk_community.{BY_DAY} WHERE granted_on = '{DAY}' AND points > 0)"
    books.change(f"DELETE FROM bk_community.{BY_DAY} WHERE granted_on = '{DAY}' AND reward_id = {one}")
    try:
        code, verdicts = books.verdicts()
        assert code == 1
        differing = {key for key, verdict in verdicts.items() if verdict == "differs"}
        lost = {(BY_DAY, "rows", "ledger"), (BY_DAY, "rows", "source"), (BY_DAY, "sum(points)", "source")}
        assert differing - {(BY_DAY, "sum(value)", "source")} == lost  # not every reward has a value
        erased = {"table_name": BY_DAY, "event": "ended", "rule": "delete", "rows_changed": 1, "at": now()}
        books.ledger.append("erasures", [{"erasure_id": "e", **erased}])
        assert books.verdicts()[0] == 0
    finally:
        books.change(f"DELETE FROM bk_community.{BY_DAY} WHERE granted_on = '{DAY}'")
        books.change(f"INSERT INTO bk_community.{BY_DAY} SELECT * FROM bk_ops.kept WHERE granted_on = '{DAY}'")
        books.change("DELETE FROM bk_ops.erasures WHERE TRUE")


def test_a_changed_sum_is_found_and_not_shown(books: Books) -> None:
    """A late change at the source differs by its sum alone; the output has counts, and no sum."""
    row = f"(SELECT max(reward_id) FROM community.rewards WHERE (granted_at AT TIME ZONE 'Asia/Tokyo')::date = '{DAY}')"
    books.issuer.source(f"UPDATE community.rewards SET points = points + 7310000 WHERE reward_id = {row}")
    try:
        done = books.command("verify", "--day", str(DAY), "--table", BY_DAY)
        assert done.exit_code == 1
        assert "1 differ." in done.stdout
        assert "7310" not in done.stdout.replace(",", "")
    finally:
        books.issuer.source(f"UPDATE community.rewards SET points = points - 7310000 WHERE reward_id = {row}")


def test_sums_of_no_row_are_no_agreement(books: Books) -> None:
    """Where neither BigQuery nor the source has a row of the day, their sums are not called equal."""
    moved = "UPDATE community.rewards SET granted_at = granted_at {} interval '9000 days' WHERE {}"
    of_day = f"(granted_at AT TIME ZONE 'Asia/Tokyo')::date = '{DAY}'"
    books.change(f"CREATE OR REPLACE TABLE bk_ops.kept AS SELECT * FROM bk_community.{BY_DAY}")
    books.change(f"DELETE FROM bk_community.{BY_DAY} WHERE granted_on = '{DAY}'")
    books.issuer.source(moved.format("+", of_day))
    try:
        _, verdicts = books.verdicts()
        assert verdicts[BY_DAY, "rows", "source"] == "equal"
        assert verdicts[BY_DAY, "sum(points)", "source"] == "nothing to compare"
    finally:
        books.issuer.source(moved.format("-", f"granted_at > timestamptz '{DAY} 00:00+09' + interval '8999 days'"))
        books.change(f"INSERT INTO bk_community.{BY_DAY} SELECT * FROM bk_ops.kept WHERE granted_on = '{DAY}'")


def test_a_day_that_was_not_loaded_is_no_agreement(books: Books) -> None:
    """A business day without a load ends with 1 and is called not loaded."""
    done = books.command("verify", "--day", str(DAY.replace(day=1)), "--table", BY_DAY)
    assert done.exit_code == 1
    assert "not loaded" in done.stdout


def test_status_tells_how_each_table_stands(books: Books) -> None:
    """Last loaded day, lag, rows, last run, and the last failure with its kind; the cost follows from the settings."""
    failed = {"run_id": "later", "table_name": BY_DAY, "day": DAY, "outcome": "failed: LeakFound", "at": now()}
    books.ledger.append("table_loads", [failed])
    told: dict[str, Any] = json.loads(books.command("status", "--format", "json").stdout)
    staff, rewards = told["tables"]
    ((rows,),) = books.issuer.published("SELECT COUNT(*) FROM bk_ops_admin.admin_users")
    assert (staff["table"], staff["through"], staff["rows"]) == (WHOLE, str(DAY), rows)
    assert staff["lag_days"] == (previous_business_day(now()) - DAY).days
    assert (staff["last_run"], staff["last_outcome"], staff["last_failure"]) == (
        books.run.run_id,
        "published",
        None,
    )
    assert (rewards["through"], rewards["last_failure"]) == (str(DAY), "LeakFound")
    assert (rewards["last_outcome"], rewards["last_failure_run"]) == ("failed: LeakFound", "later")
    assert staff["staged_bytes"] == next(one.bytes for one in books.run.tables if one.table == WHOLE)
    gib = 2**30
    expected = staff["table_bytes"] / gib * 0.023 + staff["staged_bytes"] / gib * 3 / 30 * 0.023
    assert staff["usd_month"] == pytest.approx(expected, abs=1e-6)
    assert "x 0.023" in told["cost"]
    assert "LeakFound" in books.command("status").stdout


def test_runs_tells_ended_and_broken_off_ones(books: Books) -> None:
    """A run with an end has its exit code; one without an end and without a lease was broken off."""
    books.ledger.append("runs", [{"run_id": "silent", "event": "started", "day": DAY, "at": now()}])
    told = {one["run_id"]: one for one in json.loads(books.command("runs", "--format", "json").stdout)}
    assert (told[books.run.run_id]["state"], told[books.run.run_id]["exit_code"]) == ("ended", 0)
    assert (told["silent"]["state"], told["silent"]["exit_code"]) == ("broken off", None)
    assert "silent" in books.command("runs", "--last", "1").stdout
    assert books.run.run_id not in books.command("runs", "--last", "1").stdout


def test_the_ledger_has_every_check_and_the_keys_first_use(books: Books) -> None:
    """`ops.audits` has a row for each check of each load; `ops.key_events` tells when a key was first used."""
    checks = books.ledger.read("SELECT table_name, passed FROM bk_ops.audits")
    counted = {one.table: one.expectations for one in books.run.tables}
    assert {name: sum(row["table_name"] == name for row in checks) for name in counted} == counted
    assert all(row["passed"] for row in checks)
    events = books.ledger.read("SELECT version, event, run_id FROM bk_ops.key_events")
    assert sorted((row["version"], row["event"]) for row in events) == [(1, "created"), (1, "first used")]
    assert {row["run_id"] for row in events} == {books.run.run_id}


def test_evidence_tells_what_left_and_how_it_was_protected(books: Books) -> None:
    """The report has the run, its rows and key, every column's fate, and the audit; a changed contract is told."""
    told = books.command("evidence", books.run.run_id).stdout
    rows = {one.table: one.rows for one in books.run.tables}
    assert f"# Evidence of run {books.run.run_id}" in told
    assert f"\n| {WHOLE} | published | whole table | {rows[WHOLE]:,} |" in told
    assert "| member_id | identifier | tokenize (domain member) | with the key |" in told
    assert "| delivery_name | person_name | nothing: it is not selected | no |" in told
    assert f"| {BY_DAY} | {next(one.expectations for one in books.run.tables if one.table == BY_DAY)} |" in told
    assert re.search(r"Used by this run: version 1 \(check value [0-9a-f]{8}\)\.", told)
    assert "contract has changed" not in told
    path = books.folder / f"{WHOLE}.yaml"
    edit(path, "en: One", "en: Exactly one")
    told = books.command("evidence", books.run.run_id).stdout
    assert "contract has changed" not in told, "the run kept its own"
    assert "Exactly one" not in told
    bucket = StagingBucket(StagingLocation.of(load_settings(books.settings)))
    bucket.write(f"{bucket.target.prefix}/{books.run.run_id}/contracts.json", b"{}", "application/json")
    assert books.command("evidence", books.run.run_id).stdout.count("The contract has changed since this run") == 1
    edit(path, "en: Exactly one", "en: One")
    unknown = books.command("evidence", "nobody")
    assert "The ledger knows no such run." in str(unknown.exception)
