"""A key version is destroyed when nothing holds its tokens any more, or when somebody says why they are given up."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from etl.cli import app
from etl.clock import now
from etl.cloud.storage import StagingBucket, StagingLocation
from etl.errors import SettingsInvalid
from etl.keys import open_keyring, stored_keyring
from etl.settings import load_settings
from etl.upkeep.keys.destroy import TokensHeld
from scripts.local_stack.local_stack import Endpoints
from tests.etl.upkeep.shop import PERSON, Shop, open_shop

pytestmark = pytest.mark.stack


@pytest.fixture
def shop(stack: Endpoints, tmp_path: Path) -> Shop:
    """Returns tables of two key versions, of which the older is retired."""
    return open_shop(stack, tmp_path)


def destroy(shop: Shop, *given: str, answer: str = "y\n") -> Result:
    """Runs `kagemusha keys destroy 1`."""
    open_keyring.cache_clear()
    place = ["--settings", str(shop.settings), "--contracts", str(shop.folder)]
    return CliRunner().invoke(app, ["keys", "destroy", "1", *place, *given], input=answer)


def state(shop: Shop) -> str:
    """Returns the state of version 1."""
    return stored_keyring(load_settings(shop.settings).keyring.ref).version(1).state


def staged(shop: Shop, name: str) -> None:
    """Leaves a staged file."""
    bucket = StagingBucket(StagingLocation.of(load_settings(shop.settings)))
    bucket.write(f"{bucket.target.prefix}/{name}", b"PAR1", "application/octet-stream")


def loaded(shop: Shop) -> None:
    """Has the ledger know a load of bills under each version."""
    keys = stored_keyring(load_settings(shop.settings).keyring.ref)
    loads = [
        {"run_id": f"r{version}", "table_name": "bills", "outcome": "published", "at": now()}
        | {"key_checks": {version: keys.version(version).kcv}}
        for version in (1, 2)
    ]
    shop.ledger.append("table_loads", loads)


def emptied(shop: Shop) -> None:
    """Removes every token of version 1."""
    for table in ("profiles", "visits", "bills", "clicks"):
        where = "row_id LIKE '1-%'" + (" AND paid_on >= '2000-01-01'" if table == "visits" else "")
        shop.ledger.read(f"DELETE FROM {shop.dataset}_shop.{table} WHERE {where}")
    shop.ledger.read(f"DELETE FROM {shop.dataset}.token_map_member WHERE TRUE")


def test_destroying_asks_first(shop: Shop) -> None:
    """Without a yes nothing is destroyed."""
    assert destroy(shop, "--orphan", "case 9", answer="n\n").exit_code == 1
    assert state(shop) == "retired"


def test_a_version_whose_tokens_stand_is_kept(shop: Shop) -> None:
    """Every place that holds its tokens is told with counts, exit code 2; when none does, it goes."""
    quarantined = {"run_id": "r", "table_name": "bills", "outcome": "published", "at": now(), "key_checks": {1: "x"}}
    kcv = stored_keyring(load_settings(shop.settings).keyring.ref).version(1).kcv
    shop.ledger.append("table_loads", [{**quarantined, "key_checks": {1: kcv}, "quarantined": ["k1_0 of amount"]}])
    stages = [
        {"run_id": run, "table_name": "bills", "key_version": version, "at": now()}
        for run, version in (("old", 1), ("new", 2))
    ]
    shop.ledger.append("stages", stages)
    for name in ("old/bills/0.parquet", "new/bills/0.parquet", "killed/bills/0.parquet", "new/bills/manifest.json"):
        staged(shop, name)
    refused = destroy(shop)
    assert isinstance(refused.exception, TokensHeld)
    assert refused.exception.exit_code == 2
    told = str(refused.exception)
    held = [f"{shop.dataset}_shop.{name}: 2 rows" for name in ("profiles", "visits", "bills", "clicks")]
    for one in (*held, f"{shop.dataset}.token_map_member: 2 rows", "staged files: 2 files", "ops.table_loads: 1 rows"):
        assert one in told
    assert "No key was destroyed." in told
    assert state(shop) == "retired"


def test_given_up_tokens_are_written_down_first(shop: Shop) -> None:
    """With a purpose the key goes; the ledger has who, why, and what held its tokens."""
    assert "card number" in str(destroy(shop, "--orphan", "4111 1111 1111 1111").exception)
    assert state(shop) == "retired"
    done = destroy(shop, "--orphan", "case  9")
    assert done.exit_code == 0, done.output
    assert f"Orphaned: {shop.dataset}_shop.profiles: 2 rows." in done.stdout
    assert state(shop) == "destroyed"
    (event,) = shop.ledger.read(f"SELECT * FROM `{shop.ledger.table_id('key_events')}` WHERE event = 'orphaned'")
    assert (event["version"], event["purpose"]) == (1, "case 9")
    assert "@" in event["asked_by"]
    assert f"{shop.dataset}_shop.profiles: 2 rows" in event["held"]


def test_a_version_that_nothing_holds_goes(shop: Shop) -> None:
    """When the last of its tokens is gone, no purpose is needed."""
    loaded(shop)
    emptied(shop)
    done = destroy(shop)
    assert done.exit_code == 0, done.output
    assert "version 1  destroyed" in done.stdout


def test_who_does_not_know_the_tokens_destroys_no_key(shop: Shop) -> None:
    """A ledger without loads, and contracts without a table that was loaded, do not prove that no token stands."""
    emptied(shop)
    unknown = destroy(shop).exception
    assert isinstance(unknown, SettingsInvalid)
    assert "The ledger knows no load under this keyring" in str(unknown)
    loaded(shop)
    (shop.folder / "bills.yaml").unlink()
    held = destroy(shop).exception
    assert isinstance(held, TokensHeld)
    assert "bills, of which no contract is here: 1 loads" in str(held)
    assert state(shop) == "retired"


def test_who_cannot_be_found_any_more_is_not_forgotten(shop: Shop) -> None:
    """After the key is gone, `forget` erases what it finds, says what it cannot search, and ends with exit code 2."""
    loaded(shop)
    assert destroy(shop, "--orphan", "case 9").exit_code == 0
    before = shop.rows("profiles")
    done = shop.run("--apply", "--purpose", "case 10")
    assert done.exit_code == 2
    assert "NOT DONE: rows are under key version 1, which was destroyed" in done.output
    assert f"{shop.dataset}_shop.profiles: 2 rows" in done.output
    assert PERSON not in done.output
    assert shop.rows("profiles") == [row for row in before if row[0] != "2-0"]
    assert {row["event"] for row in shop.erasures()} == {"begun", "incomplete"}
    shop.ledger.read(f"DELETE FROM {shop.dataset}_shop.profiles WHERE row_id LIKE '1-%'")
    shop.ledger.read(f"DELETE FROM {shop.dataset}_shop.bills WHERE row_id LIKE '1-%'")
    shop.ledger.read(f"DELETE FROM {shop.dataset}_shop.visits WHERE row_id LIKE '1-%' AND paid_on >= '2000-01-01'")
    assert shop.run("--apply", "--purpose", "case 10").exit_code == 0
