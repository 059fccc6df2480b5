"""A rotation may be broken off anywhere: nights, backfills and half retokenizations between never break a join."""

from __future__ import annotations

from typing import Any

import pytest

from etl.errors import NO_ROW_READ
from etl.installation import Installation, KeyRotated
from etl.keys import activate_keyring, open_keyring, rotate_keyring, stored_keyring
from etl.ledger import Ledger, leased
from etl.ledger.lease_rows import LeaseHeld
from etl.publish.rotation import TokensApart
from etl.run.backfill import backfill
from etl.run.daily import load_day
from etl.run.request import Run, Selection
from etl.run.staged_run import StagedRun
from etl.stage import StageGone
from etl.upkeep.retokenize.retokenize import retokenize
from schemas.business_days import Window
from tests.etl.conftest import DAY, Issuer, Republish
from tests.etl.upkeep.office import Office, open_office
from tests.etl.upkeep.silent import Silent

pytestmark = pytest.mark.stack
Answers = dict[str, list[tuple[Any, ...]]]


@pytest.fixture(scope="module")
def office(issuer: Issuer, republished: Republish, tmp_path_factory: pytest.TempPathFactory) -> Office:
    """Returns tables that were loaded under the first key version."""
    return open_office(issuer, republished, tmp_path_factory.mktemp("rotation"), "ro")


@pytest.fixture(scope="module")
def before(office: Office) -> Answers:
    """Rotates, after noting what the views said."""
    noted = office.answers()
    assert all(noted.values())
    rotate_keyring(office.keyring)
    return noted


class BrokenOff(Silent):
    """Hears that a step is done, and ends the process as an operator does."""

    def __init__(self, table: str, step: str) -> None:
        self._at = (table, step)

    def say(self, table: str, step: str, **_: object) -> None:
        """A step was reached."""
        if (table, step) == self._at:
            raise KeyboardInterrupt


def broken_off(office: Office, table: str, step: str) -> None:
    """Begins to renew and is broken off at a step."""
    open_keyring.cache_clear()
    with pytest.raises(KeyboardInterrupt):
        retokenize(office.settings, BrokenOff(table, step), (), office.contracts)


def primary(office: Office) -> int:
    """Returns the version that is in use."""
    return stored_keyring(office.keyring).primary


def test_a_night_and_a_backfill_after_a_rotation_mask_as_before(office: Office, before: Answers) -> None:
    """Until it is activated nothing is masked under the new version, and every join goes on working."""
    office.load()
    open_keyring.cache_clear()
    done = backfill(office.settings, Window(DAY, DAY), Silent(), ["payments"], office.contracts)
    assert done.exit_code == 0
    assert all(versions == ["k1"] for versions in office.versions().values())
    assert (primary(office), office.maps(), office.answers()) == (1, [], before)


def test_while_a_run_publishes_the_version_stays_pending(office: Office, before: Answers) -> None:
    """A run that began under the old version would make tokens without a map: exit code 3, and nothing has changed."""
    ledger = Ledger.of(office.settings)
    open_keyring.cache_clear()
    quick = office.settings.limits.model_copy(update={"lease_wait_seconds": 0})
    settings = office.settings.model_copy(update={"limits": quick})
    with leased(ledger, "a-night", ["ro_issuing.cards"], 60), pytest.raises(LeaseHeld) as held:
        retokenize(settings, Silent(), (), office.contracts)
    assert held.value.exit_code == 3
    assert (primary(office), office.maps(), office.answers()) == (1, [], before)


def test_broken_off_between_maps_the_version_stays_pending(office: Office, before: Answers) -> None:
    """Some maps are open and some are not; nights mask as before, and views join all the same."""
    broken_off(office, "token_map_member", "published")
    assert primary(office) == 1
    assert office.maps()
    assert office.answers() == before
    office.load("members", "payments")
    assert office.versions()["members"] == ["k1"]
    assert office.answers() == before


def test_a_run_that_waited_while_the_version_came_into_use_is_refused(office: Office, before: Answers) -> None:
    """It was opened under the old version; its tokens would be in no map. The next run masks under the new one."""
    open_keyring.cache_clear()
    stale = Installation.open(office.settings)
    broken_off(office, "cards", "stage")
    assert primary(office) == 2
    assert office.answers() == before
    read = Selection.read(office.contracts, Silent.suites, ["cards"], office.settings.bigquery)
    with pytest.raises(KeyRotated, match="Key version 2 is in use since this run began under version 1") as refused:
        load_day(stale, read, Run.begin(DAY, {}), Silent())
    assert (refused.value.exit_code, refused.value.not_done) == (3, NO_ROW_READ)
    assert office.versions()["cards"] == ["k1"]


def test_nights_after_it_came_into_use_join_through_the_maps(office: Office, before: Answers) -> None:
    """Whole tables come under the new version, days stay; a stage of the old version is not published."""
    ((run_id,),) = office.issuer.published("SELECT MIN(run_id) FROM ro_ops.stages WHERE table_name = 'rewards'")
    with pytest.raises(StageGone, match="staged under key version 1, and version 2 is in use"):
        StagedRun(office.settings, office.contracts).publish(run_id, "rewards", lambda _: None)
    office.load("cards", "members", "card_designs", "clubs")
    assert (office.versions()["cards"], office.versions()["payments"]) == (["k2"], ["k1"])
    assert office.answers() == before


def test_without_a_map_a_night_is_refused(office: Office, before: Answers) -> None:
    """Standing tokens that lead nowhere stop a run before a row is read, with exit code 2 and what to do."""
    client = office.issuer.warehouse.client
    kept = list(client.query_and_wait("SELECT * FROM ro_ops.token_map_card"))
    client.query_and_wait("DELETE FROM ro_ops.token_map_card WHERE TRUE")
    with pytest.raises(TokensApart, match="tokens of card are of another key version than 2, and no token map") as said:
        office.load("payments")
    assert said.value.exit_code == 2
    assert "kagemusha retokenize" in str(said.value)
    assert office.versions()["payments"] == ["k1"]
    assert kept
    result = office.renew()
    assert (result.exit_code, result.open_maps, office.maps()) == (0, (), [])
    assert all(versions == ["k2"] for versions in office.versions().values())
    assert office.answers() == before


def test_a_keyring_that_leads_elsewhere_is_refused(office: Office, before: Answers) -> None:
    """A version that came into use without any map, as by a keyring that was put in place, masks nothing."""
    activate_keyring(office.keyring, rotate_keyring(office.keyring).pending or 0)
    with pytest.raises(TokensApart, match="are of another key version than 3"):
        office.load("clubs")
    assert office.answers() == before
    events = office.issuer.published("SELECT DISTINCT event FROM ro_ops.key_events WHERE version = 2")
    assert sorted(event for (event,) in events) == ["first used", "renewed", "rotated"]
