"""A holder that sleeps between its lease's proof and its job changes nothing when it wakes; it says who was faster."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

import pytest

from etl.cloud.bigquery import Warehouse
from etl.cloud.storage import StagingLocation
from etl.ledger import Ledger, release_leases
from etl.ledger.lease_rows import LeaseHeld
from etl.publish import Publisher, holding
from etl.settings import LimitSettings, Settings
from masking.errors import KagemushaError
from schemas.contract import Contract
from scripts.fault_injection.proxy import Exchange, FaultProxy, Rule
from scripts.local_stack.local_stack import Endpoints
from tests.etl.publish import test_merge as orders
from tests.etl.publish import test_publisher as visits

pytestmark = pytest.mark.stack
MONDAY, TUESDAY = date(2023, 8, 28), date(2023, 8, 29)
LIMITS = LimitSettings(lease_seconds=60)
COPY, STATEMENT = r'"copy"', r'"query".*(DELETE FROM|MERGE )'


class Sleeper:
    """A run that falls asleep when one of its requests is on the way, and another that takes its table meanwhile."""

    def __init__(self, stack: Endpoints, settings: Settings, ledger: Ledger, found: Contract) -> None:
        self._stack, self._settings, self._ledger, self._found = stack, settings, ledger, found
        self.slept = 0

    def publishes(self, request: str, stale: Callable[[Publisher, object], None], newer: Callable[[], None]) -> None:
        """Publishes with the first such request asleep until the newer run has ended."""

        def sleeps(exchange: Exchange) -> None:
            self.slept += 1
            release_leases(self._ledger, "asleep")
            with holding(self._ledger, "newer", [self._found], LIMITS):
                newer()
            exchange.relay(exchange.forward())

        rule = Rule("POST", r"/jobs", sleeps, request)
        with FaultProxy(self._stack.bigquery).running() as proxy, proxy.following(rule):
            slow = Warehouse(self._settings.bigquery.model_copy(update={"endpoint": proxy.url}))
            with holding(self._ledger, "asleep", [self._found], LIMITS) as leases:
                stale(Publisher(slow, self._place), leases.of(self._found.publish))

    def at(self, place: StagingLocation) -> Sleeper:
        """Returns itself, staging at a place."""
        self._place = place
        return self


def test_a_copy_that_wakes_up_copies_nothing(
    stack: Endpoints, own_settings: Settings, ledger: Ledger, warehouse: Warehouse, location: StagingLocation
) -> None:
    """The newer run's day stays; the older run says that it lost the table, exit code 3."""
    found = visits.contract("asleep")
    sleeper = Sleeper(stack, own_settings, ledger, found).at(location)
    own = Warehouse(own_settings.bigquery)
    old, new = (visits.staged(found, location, {MONDAY: [name]}) for name in ("old", "new"))
    with pytest.raises(LeaseHeld, match=r"The lease of publishing\.asleep was lost") as lost:
        sleeper.publishes(
            COPY,
            lambda publisher, lease: publisher.publish(old, lease),
            lambda: Publisher(own, location).publish(new, visits.FREE),
        )
    assert (sleeper.slept, lost.value.exit_code) == (1, 3)
    assert visits.rows(warehouse, "asleep") == [(MONDAY, "new")]


def test_a_delete_that_wakes_up_empties_nothing(
    stack: Endpoints, own_settings: Settings, ledger: Ledger, warehouse: Warehouse, location: StagingLocation
) -> None:
    """A day that was empty when the older run read it has the newer run's rows."""
    found = visits.contract("asleep_empty")
    sleeper = Sleeper(stack, own_settings, ledger, found).at(location)
    own = Warehouse(own_settings.bigquery)
    none, new = (visits.staged(found, location, {TUESDAY: names}) for names in ([], ["new"]))
    with pytest.raises(KagemushaError) as lost:
        sleeper.publishes(
            STATEMENT,
            lambda publisher, lease: publisher.publish(none, lease),
            lambda: Publisher(own, location).publish(new, visits.FREE),
        )
    assert (sleeper.slept, type(lost.value)) == (1, LeaseHeld)
    assert visits.rows(warehouse, "asleep_empty") == [(TUESDAY, "new")]


def test_a_merge_that_wakes_up_merges_nothing(
    stack: Endpoints, own_settings: Settings, ledger: Ledger, warehouse: Warehouse, location: StagingLocation
) -> None:
    """Rows keep what the newer run merged into them."""
    found = orders.contract("asleep", deletes="hard", by=None)
    sleeper = Sleeper(stack, own_settings, ledger, found).at(location)
    own = Warehouse(own_settings.bigquery)
    Publisher(own, location).publish(orders.rows_of(found, location, orders.FIRST, whole=True), orders.FREE)
    old, new = (orders.rows_of(found, location, [("a", 1, status, MONDAY)]) for status in ("stale", "paid"))
    with pytest.raises(LeaseHeld):
        sleeper.publishes(
            STATEMENT,
            lambda publisher, lease: publisher.publish(old, lease),
            lambda: Publisher(own, location).publish(new, orders.FREE),
        )
    assert sleeper.slept == 1
    assert [row[2] for row in orders.table(warehouse, "asleep")] == ["paid", "new", "new"]


def test_only_the_tables_taken_over_are_fenced_off(ledger: Ledger, own_settings: Settings) -> None:
    """What stands beside other tables stays, also where one's name begins another's; so do maps that others make."""
    client, dataset = ledger.warehouse.client, own_settings.bigquery.ops_dataset
    kept = ["stage_visits_more_0123456789abcdef", "stage_token_map_card_ab12", "stage_visits"]
    gone = ["stage_visits_0123456789abcdef", "stage_visits__keys_0123456789abcdef"]
    for name in (*kept, *gone):
        client.query_and_wait(f"CREATE TABLE {dataset}.{name} AS SELECT 1 AS n")
    with holding(ledger, "next", [visits.contract("fenced")], LIMITS):
        there = {table.table_id for table in client.list_tables(dataset)}
    assert there >= set(kept)
    assert not there & set(gone)
