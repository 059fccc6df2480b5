"""Leases on a real BigQuery server: one holder a table, renewed while it works, taken over when it is dead."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import count

import pytest

from etl.cloud.bigquery import change
from etl.ledger import LeaseBook, Ledger, all_leases, leased, release_leases
from etl.ledger.lease_rows import LeaseHeld, LiveLease
from scripts.local_stack.processes import wait_until

pytestmark = pytest.mark.stack
_LONG = 600
_NUMBERS = count()


@pytest.fixture
def table(ledger: Ledger) -> Iterator[str]:
    """Yields a published table that no other test leases."""
    yield f"shop.t{next(_NUMBERS)}"
    for one in all_leases(ledger):
        release_leases(ledger, one.run_id)


def holder(ledger: Ledger, table: str) -> LiveLease | None:
    """Returns the lease of a table as it stands."""
    return {one.table: one for one in all_leases(ledger)}.get(table)


def end(ledger: Ledger, table: str) -> None:
    """Lets a lease's time be over, as if its holder had not renewed it."""
    sql = f"UPDATE `{ledger.table_id('leases')}` SET until = TIMESTAMP_SUB(CURRENT_TIMESTAMP(), INTERVAL 1 SECOND) "
    assert change(ledger.warehouse, "The test failed", sql + "WHERE table_name = @table", table=table) == 1


def test_a_lease_is_held_for_the_block_and_freed_after_it(ledger: Ledger, table: str) -> None:
    """Within the block the ledger says who holds the table; afterwards the next run gets it, with a higher fence."""
    with leased(ledger, "run-a", [table], _LONG) as leases:
        found = holder(ledger, table)
        assert found is not None
        assert (found.run_id, found.fence) == ("run-a", leases.fencing_token(table))
        leases.of(table).prove()
    assert holder(ledger, table) is None
    with leased(ledger, "run-b", [table], _LONG) as later:
        assert later.fencing_token(table) == found.fence + 1


def test_the_loser_is_told_who_holds_it(ledger: Ledger, table: str) -> None:
    """A second run of a held table gets nothing; the error names run, since and until, and its exit code is 3."""
    with leased(ledger, "run-a", [table], _LONG):
        found = holder(ledger, table)
        assert found is not None
        with pytest.raises(LeaseHeld) as lost, leased(ledger, "run-b", [table], _LONG):
            pytest.fail("two runs hold one table")
        assert f"{table} is held by run run-a since {found.since:%Y-%m-%d %H:%M:%S} UTC" in str(lost.value)
        assert f"until {found.until:%Y-%m-%d %H:%M:%S} UTC" in str(lost.value)
        assert lost.value.exit_code == 3
        assert holder(ledger, table) == found


def test_what_is_free_is_taken_beside_what_is_held(ledger: Ledger, table: str) -> None:
    """Of several tables a run gets those that are free; for the others it has an error each."""
    other = f"{table}_other"
    with leased(ledger, "run-a", [table], _LONG), leased(ledger, "run-b", [table, other], _LONG) as leases:
        assert isinstance(leases.refusal(table), LeaseHeld)
        assert leases.refusal(other) is None
        assert leases.fencing_token(table) is None
        leases.of(other).prove()


def test_of_many_that_ask_at_once_one_gets_it(ledger: Ledger, table: str) -> None:
    """Eight runs ask for two tables that have no row yet, all at the same moment: each table gets one holder."""
    tables = [table, f"{table}_other"]
    together = threading.Barrier(8)

    def ask(number: int) -> dict[str, LiveLease]:
        book = LeaseBook(ledger, f"run-{number}")
        together.wait()
        return book.take(_LONG, tables)

    with ThreadPoolExecutor(8) as pool:
        seen = list(pool.map(ask, range(8)))
    for name in tables:
        winners = [number for number, live in enumerate(seen) if live[name].run_id == f"run-{number}"]
        assert len(winners) == 1
        assert {live[name].run_id for live in seen} == {f"run-{winners[0]}"}


def test_two_first_rows_of_a_table_are_one_lease(ledger: Ledger, table: str) -> None:
    """Runs may both insert a table's first row, for INSERTs never conflict; it still has one holder, and is freed."""
    sql = f"INSERT INTO `{ledger.table_id('leases')}` (table_name, fence) VALUES (@table, 0)"
    with leased(ledger, "run-a", [table], _LONG):
        change(ledger.warehouse, "The test failed", sql, table=table)
        with pytest.raises(LeaseHeld, match="run-a"), leased(ledger, "run-b", [table], _LONG):
            pytest.fail("two runs hold one table")
    with leased(ledger, "run-b", [table], _LONG):
        assert (holder(ledger, table) or pytest.fail("nobody holds it")).run_id == "run-b"


def test_a_dead_runs_lease_is_taken_over_and_it_cannot_publish(ledger: Ledger, table: str) -> None:
    """When a lease's time is over the next run has it, and the stale holder's proof fails, naming the new holder."""
    with leased(ledger, "stale", [table], _LONG) as stale:
        end(ledger, table)
        with leased(ledger, "next", [table], _LONG) as later:
            assert later.fencing_token(table) == (stale.fencing_token(table) or 0) + 1
            with pytest.raises(LeaseHeld, match="is held by run next") as lost:
                stale.of(table).prove()
            assert "The table was not published" in str(lost.value)
            later.of(table).prove()
        assert holder(ledger, table) is None


def test_a_late_holder_keeps_what_nobody_took(ledger: Ledger, table: str) -> None:
    """A holder that slept past its time and whom nobody replaced gets its time back when it proves."""
    with leased(ledger, "late", [table], _LONG) as late:
        end(ledger, table)
        assert holder(ledger, table) is None
        late.of(table).prove()
        assert (holder(ledger, table) or pytest.fail("nobody holds it")).run_id == "late"


def test_the_holder_renews_while_it_works(ledger: Ledger, table: str) -> None:
    """A lease outlives its first lifetime as long as its holder lives."""
    with leased(ledger, "alive", [table], 3):
        first = holder(ledger, table)
        assert first is not None
        assert wait_until(lambda: (holder(ledger, table) or first).until > first.until, 10)


def test_a_run_can_wait_for_another(ledger: Ledger, table: str) -> None:
    """With patience a run gets the table as soon as the other has ended."""
    let_go = threading.Event()
    holding = threading.Event()

    def hold() -> None:
        with leased(ledger, "first", [table], _LONG):
            holding.set()
            let_go.wait(30)

    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(hold)
        holding.wait(30)
        threading.Timer(0.2, let_go.set).start()
        with leased(ledger, "second", [table], _LONG, wait_seconds=30):
            assert (holder(ledger, table) or pytest.fail("nobody holds it")).run_id == "second"
        first.result()


def test_a_person_frees_what_a_dead_run_holds(ledger: Ledger, table: str) -> None:
    """`release_leases` frees the leases of one run and of no other."""
    with leased(ledger, "dead", [table], _LONG), leased(ledger, "alive", [f"{table}_other"], _LONG):
        assert release_leases(ledger, "dead") == 1
        assert holder(ledger, table) is None
        assert holder(ledger, f"{table}_other") is not None
