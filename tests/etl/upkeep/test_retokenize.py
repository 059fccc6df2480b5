"""After a rotation published tokens are renewed without the source, and views give the same answers all the way."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import pytest
from typer.testing import CliRunner

from etl.cli import app
from etl.cloud.bigquery import TIMEOUT_SECONDS
from etl.keys import change_keyring, open_keyring, rotate_keyring
from etl.upkeep.retokenize.retokenize import retokenize
from masking.errors import KeyUnusable
from masking.keyring import KeyRef
from schemas.view_file import View
from tests.etl.conftest import Issuer, Republish
from tests.etl.rotating import rotate_and_use
from tests.etl.upkeep.office import TAG, VIEWS, Office, open_office


@pytest.fixture(scope="module")
def office(issuer: Issuer, republished: Republish, tmp_path_factory: pytest.TempPathFactory) -> Office:
    """Returns tables that were loaded under the first key version, just before the rotation."""
    return open_office(issuer, republished, tmp_path_factory.mktemp("office"), "rk")


@dataclass(frozen=True)
class Before:
    """What was true before the rotation."""

    rows: dict[str, list[tuple[Any, ...]]]
    answers: dict[str, list[tuple[Any, ...]]]


@pytest.fixture(scope="module")
def before(office: Office) -> Before:
    """Rotates, after noting what tables and views said."""
    noted = Before(office.rows(), office.answers())
    assert all(noted.answers.values())
    assert office.renew().tables == ()
    rotate_keyring(office.keyring)
    return noted


class Meddling:
    """Hears that a table is being audited, and at that moment another run writes to it."""

    def __init__(self, office: Office) -> None:
        self._warehouse = office.issuer.warehouse

    def say(self, table: str, step: str, **counts: object) -> None:
        """Writes to the table."""
        del counts
        if (table, step) == ("delinquencies", "audit"):
            found = self._warehouse.client.get_table("rk_collections.delinquencies")
            found.description = "written by another run"
            self._warehouse.client.update_table(found, ["description"], timeout=TIMEOUT_SECONDS)


@pytest.mark.stack
def test_a_table_that_another_run_writes_is_left_alone(office: Office, before: Before) -> None:
    """What was written meanwhile is not replaced by what was read before; the exit code says to run again."""
    open_keyring.cache_clear()
    result = retokenize(office.settings, Meddling(office), ["delinquencies"], office.contracts)
    assert result.exit_code == 3
    assert "Another run changed the table meanwhile." in result.tables[0].error
    assert office.versions()["delinquencies"] == ["k1"]
    assert office.answers() == before.answers


@pytest.mark.stack
def test_one_table_is_renewed_and_views_still_join_it(office: Office, before: Before) -> None:
    """The tables named change, the others do not; the maps of all domains that have old tokens are open."""
    result = office.renew("rewards", "delinquencies")
    assert result.exit_code == 0
    assert [one.table for one in result.tables] == ["delinquencies", "rewards"]
    assert result.tables[1].partitions == 3
    assert result.tables[1].one_way == ("reward_id",)
    assert office.versions() == {
        "cards": ["k1"],
        "delinquencies": ["k2"],
        "members": ["k1"],
        "payments": ["k1"],
        "rewards": ["k2"],
    }
    assert set(result.open_maps) == set(office.maps()) >= {"card", "member", "pan", "payment"}
    assert office.answers() == before.answers


@pytest.mark.stack
def test_a_daily_load_in_between_keeps_the_maps(office: Office, before: Before) -> None:
    """Whole tables come anew under the new version, days do not; a view over both says what it said before."""
    office.load("cards", "members", "card_designs", "clubs")
    assert office.versions()["cards"] == ["k2"]
    assert office.versions()["payments"] == ["k1"]
    ((joined,),) = office.issuer.published(
        "SELECT COUNT(*) FROM rk_ledger.payments p JOIN rk_issuing.cards c ON c.card_id = p.card_id"
    )
    assert joined == 0, "without the maps nothing joins"
    assert office.maps()
    assert office.answers() == before.answers


@pytest.mark.stack
def test_the_command_renews_the_rest_and_closes_the_maps(office: Office, before: Before) -> None:
    """Afterwards no old token is left, no map is open, views are plain, and every row is what a new load would give."""
    given = ["--settings", str(office.settings_file), "--contracts", str(office.contracts)]
    result = CliRunner().invoke(app, ["retokenize", *given])
    assert result.exit_code == 0, result.output
    assert "Every token that can be renewed is of key version 2; no token map is open." in result.stdout
    assert all(versions == ["k2"] for versions in office.versions().values())
    assert office.maps() == []
    assert office.answers() == before.answers
    payments = office.issuer.warehouse.find_table("rk_ledger.payments")
    assert payments is not None
    tags = {field.name: field.policy_tags.names for field in payments.schema if field.policy_tags}
    assert tags == dict.fromkeys(("payment_id", "card_id", "member_id"), (TAG,))
    assert office.issuer.warehouse.row_policies("rk_ledger.payments") == {"job"}
    views = [office.issuer.warehouse.find_table(f"rk_looker.{view}") for view in VIEWS]
    assert not any("token_map" in view.view_query for view in views if view)
    renewed = office.rows()
    assert renewed != before.rows
    office.load()
    assert office.rows() == renewed


@pytest.mark.stack
def test_the_ledger_tells_what_was_renewed(office: Office, before: Before) -> None:
    """Rows, days and the key version of each renewed table are in the ledger."""
    assert before.rows
    lines = office.issuer.published(
        "SELECT table_name, window_first, window_last, key_checks, rows FROM rk_ops.table_loads "
        "WHERE outcome = 'retokenized' AND table_name IN ('payments', 'rewards') ORDER BY table_name"
    )
    assert [(table, (last - first).days) for table, first, last, _, _ in lines] == [("payments", 2), ("rewards", 2)]
    kcv = open_keyring(KeyRef(office.keyring)).version(2).kcv
    assert all(json.loads(checks) == {"2": kcv} for *_, checks, _ in lines)
    assert [rows for *_, rows in lines] == [len(before.rows["payments"]), len(before.rows["rewards"])]


@pytest.mark.stack
def test_a_second_try_has_nothing_to_do(office: Office, before: Before) -> None:
    """Renewing again reads counts only."""
    assert before.rows
    result = office.renew()
    assert (result.tables, result.open_maps, result.exit_code) == ((), (), 0)


@pytest.mark.stack
def test_without_the_old_key_nothing_changes(office: Office, before: Before) -> None:
    """When the version that made the tokens was destroyed, the error says so, and tables and views stay."""
    rows, answers = office.rows(), office.answers()
    assert answers == before.answers
    rotate_and_use(office.keyring)
    change_keyring(office.keyring, lambda keys: keys.retired(2))
    change_keyring(office.keyring, lambda keys: keys.destroyed(2))
    with pytest.raises(KeyUnusable, match="Key version 2 was destroyed"):
        office.renew()
    assert (office.rows(), office.answers(), office.maps()) == (rows, answers, [])


@pytest.mark.parametrize(
    ("sql", "seen"),
    [
        ("SELECT payments.a FROM d.payments", "SELECT payments.a FROM (S) AS payments"),
        ("SELECT p.a FROM d.payments AS p WHERE p.a", "SELECT p.a FROM (S) AS p WHERE p.a"),
        ("SELECT p.a FROM `d.payments` p\nJOIN d.cards USING (c)", "SELECT p.a FROM (S) p\nJOIN `x.d.cards` USING (c)"),
        ("SELECT a FROM d.payments\nWHERE a", "SELECT a FROM (S) AS payments\nWHERE a"),
        (
            "SELECT a FROM (SELECT a FROM d.payments) GROUP BY a",
            "SELECT a FROM (SELECT a FROM (S) AS payments) GROUP BY a",
        ),
        ("SELECT a FROM d.cards LEFT JOIN d.payments ON a", "SELECT a FROM `x.d.cards` LEFT JOIN (S) AS payments ON a"),
    ],
)
def test_a_table_seen_through_a_map_keeps_its_alias(sql: str, seen: str) -> None:
    """The subquery takes the table's place under the alias it had, or under its name."""
    assert View("v", "about", sql).qualified("x", ["d.payments", "d.cards"], {"d.payments": "(S)"}) == seen
