"""Merge and snapshot tables on real servers: after every run the published rows are the source's."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from etl.ledger import TableResult
from schemas.contract_file import BUNDLED
from tests.etl.conftest import DAY, Issuer

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
def folder(tmp_path: Path) -> Path:
    """Returns contracts of that table, by merge, and of clubs, whose snapshots no other test sees."""
    found = tmp_path / "schemas"
    found.mkdir()
    changed = {
        "arrears": {
            "table: delinquencies": "table: arrears",
            "source: collections.delinquencies": "source: modes.arrears",
            "publish: collections.delinquencies": "publish: modes.arrears",
            "reconcile_keys: 7}": "reconcile_keys: 7, by: overdue_since}",
        },
        "teams": {"table: clubs": "table: teams", "publish: community.clubs": "publish: modes.teams"},
    }
    for (new, changes), table in zip(changed.items(), ("delinquencies", "clubs"), strict=True):
        lines = (BUNDLED / f"{table}.yaml").read_text(encoding="utf-8").splitlines()
        text = "\n".join(line for line in lines if not line.startswith("joins:"))
        for old, put in changes.items():
            assert old in text
            text = text.replace(old, put, 1)
        (found / f"{new}.yaml").write_text(text, encoding="utf-8")
    return found


def test_a_table_follows_its_source(issuer: Issuer, folder: Path, arrears: str) -> None:
    """The first load is whole; the next reads what changed, also late, and marks what is gone; snapshots stay."""

    def run(days_later: int) -> TableResult:
        result = issuer.run(DAY + timedelta(days=days_later), contracts=folder)
        assert result.exit_code == 0, [one.error for one in result.tables]
        return result.tables[0]

    def alike(gone: int) -> None:
        columns = "count(*), sum(days_overdue), sum(principal), sum(late_fee), min(overdue_since), max(updated_at)"
        live = issuer.published(f"SELECT {columns} FROM modes.arrears WHERE deleted_at IS NULL")
        assert live == issuer.source(f"SELECT {columns} FROM {arrears}")
        assert issuer.published("SELECT count(*) FROM modes.arrears WHERE deleted_at IS NOT NULL") == [(gone,)]

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
    days = issuer.published("SELECT snapshot_date, count(*) FROM modes.teams GROUP BY 1 ORDER BY 1")
    clubs = issuer.source("SELECT count(*) FROM community.clubs")[0][0]
    assert days == [(DAY, clubs), (LATER, clubs)]
