"""Merge and snapshot tables on real servers: after every run the published rows are the source's."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner

from etl.cli import app
from etl.ledger import TableResult
from tests.etl.changed_settings import settings_file
from tests.etl.conftest import DAY, Issuer, Republish
from tests.etl.republishing import edit

pytestmark = pytest.mark.stack
LATER = DAY + timedelta(days=7)
TABLE = """
CREATE SCHEMA modes;
CREATE TABLE modes.arrears (LIKE collections.delinquencies);
INSERT INTO modes.arrears SELECT * FROM collections.delinquencies;
GRANT USAGE ON SCHEMA modes TO etl_reader;
GRANT SELECT ON modes.arrears TO etl_reader
"""
CHANGES = """
CREATE TEMP TABLE late AS SELECT * FROM modes.arrears ORDER BY updated_at DESC LIMIT 1;
UPDATE late SET delinquency_id = delinquency_id + 1000000, updated_at = updated_at - interval '1 hour';
INSERT INTO modes.arrears SELECT * FROM late;
DELETE FROM modes.arrears WHERE delinquency_id = (SELECT min(delinquency_id) FROM modes.arrears);
UPDATE modes.arrears SET principal = principal + 7, overdue_since = overdue_since - 1,
    updated_at = (SELECT max(updated_at) FROM modes.arrears) + interval '1 hour'
WHERE delinquency_id IN (SELECT delinquency_id FROM modes.arrears ORDER BY updated_at LIMIT 2)
"""


@pytest.fixture
def arrears(issuer: Issuer) -> Iterator[str]:
    """Yields a table of the source that a test may change as it likes."""
    issuer.source(TABLE)
    yield "modes.arrears"
    issuer.source("DROP SCHEMA modes CASCADE")


@pytest.fixture
def folder(republished: Republish) -> Path:
    """Returns contracts of that table, by merge, and of clubs, whose snapshots no other test sees."""
    found = republished("modes", delinquencies="arrears", clubs="teams")
    edit(found / "arrears.yaml", "source: collections.delinquencies", "source: modes.arrears")
    edit(found / "arrears.yaml", "reconcile_keys: 7}", "reconcile_keys: 7, by: overdue_since}")
    return found


def test_a_table_follows_its_source(issuer: Issuer, folder: Path, arrears: str) -> None:
    """The first load is whole; the next reads what changed, also late, and marks what is gone; snapshots stay."""

    def run(days_later: int) -> TableResult:
        return issuer.load(DAY + timedelta(days=days_later), contracts=folder).tables[0]

    def alike(gone: int) -> None:
        columns = "count(*), sum(days_overdue), sum(principal), sum(late_fee), min(overdue_since), max(updated_at)"
        live = issuer.published(f"SELECT {columns} FROM modes_collections.arrears WHERE deleted_at IS NULL")
        assert live == issuer.source(f"SELECT {columns} FROM {arrears}")
        assert issuer.published("SELECT count(*) FROM modes_collections.arrears WHERE deleted_at IS NOT NULL") == [
            (gone,)
        ]

    ((latest, everyone),) = issuer.source(f"SELECT max(updated_at), count(*) FROM {arrears}")
    first = run(0)
    assert (first.rows, first.keys_compared) == (everyone, everyone)
    alike(gone=0)
    issuer.source(CHANGES)
    second = run(7)
    assert second.rows < everyone, "only changes were read"
    assert (second.keys_compared, second.deleted) == (everyone, 1), "one came late and one is gone"
    alike(gone=1)
    marks = issuer.published(
        "SELECT watermark, keys_compared FROM ops.table_loads WHERE table_name = 'arrears' ORDER BY at"
    )
    assert marks == [(latest, everyone), (latest + timedelta(hours=1), everyone)]
    days = issuer.published("SELECT snapshot_date, count(*) FROM modes_community.teams GROUP BY 1 ORDER BY 1")
    clubs = issuer.source("SELECT count(*) FROM community.clubs")[0][0]
    assert days == [(DAY, clubs), (LATER, clubs)]


def test_no_source_that_lost_its_rows_empties_a_table(issuer: Issuer, folder: Path, arrears: str) -> None:
    """Rows that are all gone stay published until somebody accepts it; a table made anew is loaded whole, as it is."""
    published = "SELECT count(*), countif(deleted_at IS NULL), sum(principal) FROM modes_collections.arrears"

    def run(days_later: int, accepted_deletes: int = 0) -> TableResult:
        day = DAY + timedelta(days=days_later)
        return issuer.run(day, "arrears", contracts=folder, accepted_deletes=accepted_deletes).tables[0]

    first = run(8)
    assert first.exit_code == 0, first.error
    before = issuer.published(published)
    issuer.source(f"CREATE TABLE modes.kept AS SELECT * FROM {arrears}; DELETE FROM {arrears}")
    refused = run(15)
    assert (refused.exit_code, refused.outcome) == (1, "failed: DeletesUnproven")
    assert issuer.published(published) == before
    accepted = run(15, accepted_deletes=first.rows)
    assert (accepted.exit_code, accepted.deleted) == (0, first.rows)
    assert issuer.published(published)[0][:2] == (first.rows, 0)
    issuer.source(
        f"DROP TABLE {arrears}; CREATE TABLE {arrears} (LIKE collections.delinquencies); "
        f"INSERT INTO {arrears} SELECT * FROM modes.kept; "
        f"GRANT SELECT ON {arrears} TO etl_reader"
    )
    anew = run(16)
    assert (anew.exit_code, anew.rows, anew.keys_compared) == (0, first.rows, first.rows), anew.error
    assert issuer.published(published) == before, "nothing of the former table is left"


def test_a_merge_comes_to_what_its_source_is(issuer: Issuer, folder: Path, arrears: str, tmp_path: Path) -> None:
    """A change that moved no watermark, and a row that somebody changed in BigQuery, stop the merge that compares keys.

    `verify` says that they differ; a whole load mends it, and what changed later at the source only moved on.
    """
    settings = settings_file(issuer.ends, tmp_path)

    def verdicts() -> list[str]:
        given = ["--settings", str(settings), "--contracts", str(folder), "--table", "arrears"]
        told = CliRunner().invoke(app, ["verify", "--day", str(DAY), *given]).stdout
        return [word for word in ("differs", "moved on", "equal") for line in told.splitlines() if word in line]

    def run(days_later: int) -> TableResult:
        return issuer.run(DAY + timedelta(days=days_later), "arrears", contracts=folder).tables[0]

    published = "SELECT * FROM modes_collections.arrears ORDER BY delinquency_id"
    first = f"WHERE delinquency_id = (SELECT min(delinquency_id) FROM {arrears})"
    silent = f"UPDATE {arrears} SET principal = principal + 9 {first}"
    assert run(20).exit_code == 0
    assert set(verdicts()) == {"equal"}
    before = issuer.published(published)
    issuer.source(silent)
    assert "differs" in verdicts()
    refused = run(27)
    assert (refused.exit_code, refused.outcome) == (1, "failed: MergeUnproven"), refused.error
    assert "would have another principal" in refused.error
    assert "kagemusha backfill --table arrears" in refused.error
    assert issuer.published(published) == before
    issuer.source(silent.replace("+ 9", "- 9"))
    issuer.source(f"UPDATE {arrears} SET updated_at = updated_at + interval '1 day' {first}")
    assert "differs" not in verdicts()
    assert run(27).exit_code == 0
    issuer.warehouse.client.query_and_wait("UPDATE modes_collections.arrears SET late_fee = late_fee + 1 WHERE TRUE")
    assert "differs" in verdicts()
    assert run(34).outcome == "failed: MergeUnproven"
    issuer.source(f"CREATE TABLE modes.kept AS SELECT * FROM {arrears}")
    issuer.source(f"DROP TABLE {arrears}; ALTER TABLE modes.kept RENAME TO arrears")
    issuer.source(f"GRANT SELECT ON {arrears} TO etl_reader")
    assert "differs" in verdicts(), "it is another table than the one that was loaded"
