"""`kagemusha plan` tells what a run would do, and reads no row for it."""

from __future__ import annotations

import json
from pathlib import Path

import psycopg
import pytest
from typer.testing import CliRunner

from etl.cli import app
from schemas.contract_file import load_contracts
from tests.etl.conftest import DAY, Issuer

pytestmark = pytest.mark.stack


def plan(issuer: Issuer, *arguments: str) -> tuple[int, str]:
    """Runs `kagemusha plan` for DAY; gives its exit code and what it prints."""
    result = CliRunner().invoke(app, ["plan", "--day", str(DAY), "--settings", str(issuer.ends.settings), *arguments])
    return result.exit_code, result.stdout


def rows_read(issuer: Issuer) -> int:
    """Returns how many rows sessions of the standby have read of the issuer's tables."""
    with psycopg.connect(issuer.ends.source_url, autocommit=True) as connection:
        sql = "SELECT coalesce(sum(seq_tup_read + coalesce(idx_tup_fetch, 0)), 0)::int8 FROM pg_stat_user_tables"
        (total,) = connection.execute(sql).fetchone() or (0,)
        return int(str(total))


def test_all_tables_are_planned_and_no_row_is_read(issuer: Issuer) -> None:
    """Columns, days and slices agree with the contracts; the server's own counters prove that no row was read.

    The planner itself looks at both ends of an index for its estimates, which counts a handful of rows a table.
    """
    before = rows_read(issuer)
    code, printed = plan(issuer, "--json")
    assert rows_read(issuer) - before <= 4 * len(json.loads(printed))
    with psycopg.connect(issuer.ends.source_url) as connection:
        connection.execute("SELECT count(*) FROM ledger.statements WHERE paid < 0")
    assert rows_read(issuer) - before > 300  # so the counters do count
    contracts, plans = load_contracts(), {one["table"]: one for one in json.loads(printed)}
    assert code == 0
    assert set(plans) == set(contracts)
    for name, contract in contracts.items():
        assert plans[name]["columns_read"] == list(contract.selected)
        assert plans[name]["publish"] == contract.publish
    payments = plans["payments"]
    assert (payments["mode"], payments["first_day"], payments["last_day"]) == ("partition", "2023-08-28", "2023-08-30")
    assert [part["day"] for part in payments["slices"]] == ["2023-08-28", "2023-08-29", "2023-08-30"]
    assert payments["estimated_rows"] > 0
    assert payments["estimated_bytes"] > payments["estimated_rows"]
    assert "pan" in payments["columns_masked"]
    assert "device" in payments["columns_dropped"]


def test_people_get_a_table_and_every_slice(issuer: Issuer) -> None:
    """One line a table; `--verbose` lists slices with their conditions."""
    code, printed = plan(issuer)
    assert (code, "…" in printed, "3 partitions" in printed) == (0, False, True)
    code, printed = plan(issuer, "--table", "payments", "--table", "cards", "--verbose")
    assert code == 0
    assert "2023-08-28 – 2023-08-30" in printed
    assert "whole table" in printed
    assert 'payments 2  2023-08-30  "authorized_at" >= TIMESTAMPTZ \'2023-08-29 15:00:00' in printed
    assert "cards 0  TRUE" in printed
    assert "No row was read." in printed


def test_a_table_that_a_run_would_refuse_is_told(issuer: Issuer, contracts: Path) -> None:
    """Drift is shown beside the other tables' plans, with the exit code of the run."""
    path = contracts / "clubs.yaml"
    path.write_text(path.read_text(encoding="utf-8").replace("community.clubs", "community.gone", 1), encoding="utf-8")
    code, printed = plan(issuer, "--contracts", str(contracts), "--table", "clubs", "--table", "cards")
    assert code == 2
    assert "refused" in printed
    assert "clubs: SourceTableMissing: The source has no table community.gone." in printed
    assert "issuing.cards" in printed
