"""The main job on real servers: everything arrives once, exactly, masked, and the same again on a rerun.

The tests are one story, in this order: `first` loads DAY, which is then loaded again and compared; `second` loads the
next day, after the issuer's business went on, and what follows looks at both.
"""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from etl.run.record.results import RunResult
from schemas.contract_file import load_contracts
from schemas.loads import MergeLoad, PartitionLoad, SnapshotLoad
from schemas.namespaces import GA4_EVENTS
from schemas.view_file import load_views
from tests.etl.conftest import DAY, NEXT_DAY, Issuer, every_day

pytestmark = pytest.mark.stack
CONTRACTS = load_contracts()
PARTITIONED = sorted(name for name, contract in CONTRACTS.items() if isinstance(contract.load, PartitionLoad))
FULL = sorted(set(CONTRACTS) - set(PARTITIONED))


@pytest.fixture(scope="module")
def first(issuer: Issuer) -> RunResult:
    """Returns the result of the first run, which went well."""
    return issuer.load(DAY)


def test_every_table_is_published(first: RunResult) -> None:
    """All contracts load on the first day; what is only warned of are rows that point to days before the first."""
    assert {one.table: one.outcome for one in first.tables} == dict.fromkeys(CONTRACTS, "published")
    warned = {check.name.split("(")[0] for one in first.tables for check in one.failed_checks}
    assert warned <= {"tokens_found_in_joined_table", "newest_row_is_fresh"}
    assert all(one.expectations_passed + len(one.failed_checks) == one.expectations > 0 for one in first.tables)


@pytest.mark.usefixtures("first")
def test_full_tables_equal_the_source(issuer: Issuer) -> None:
    """A table that is read whole publishes exactly the source's rows, a snapshot those of its day."""
    for name in FULL:
        contract = CONTRACTS[name]
        only = f"WHERE snapshot_date = '{DAY}'" if isinstance(contract.load, SnapshotLoad) else ""
        assert issuer.published(f"SELECT count(*) FROM {contract.publish} {only}") == issuer.source(
            f"SELECT count(*) FROM {contract.source}"
        ), name


@pytest.mark.usefixtures("first")
@pytest.mark.parametrize("name", PARTITIONED)
def test_counts_and_money_equal_per_business_day(issuer: Issuer, name: str) -> None:
    """Each business day (JST) of the window holds the source's rows and sums of that day, to the last digit."""
    contract = CONTRACTS[name]
    assert isinstance(contract.load, PartitionLoad)
    by, column = contract.load.by, contract.window_column
    day = f"({column} AT TIME ZONE 'Asia/Tokyo')::date" if by in contract.derive else column
    first_day = DAY - timedelta(days=contract.load.lookback_days)
    sums = "".join(f", sum({money})" for money in contract.reconcile)
    published = issuer.published(
        f"SELECT {by}, count(*){sums} FROM {contract.publish} WHERE {every_day(contract)} GROUP BY 1"
    )
    assert sorted(published) == sorted(
        issuer.source(
            f"SELECT {day}, count(*){sums} FROM {contract.source} "
            f"WHERE {day} BETWEEN '{first_day}' AND '{DAY}' GROUP BY 1"
        )
    )


@pytest.mark.usefixtures("first")
def test_the_same_day_again_gives_the_same_rows(issuer: Issuer) -> None:
    """A rerun leaves byte-equal tables: deterministic tokens, no duplicate, no loss."""
    before = issuer.checksums(list(CONTRACTS))
    issuer.load(DAY)
    assert issuer.checksums(list(CONTRACTS)) == before


@pytest.fixture(scope="module")
def second(first: RunResult, issuer: Issuer) -> RunResult:
    """Returns the result of the next day's run, after the issuer's next business day came in."""
    del first  # it was there before
    issuer.synth("advance", "--day", str(NEXT_DAY))
    return issuer.load(NEXT_DAY)


@pytest.mark.usefixtures("second")
def test_the_next_day_brings_new_and_late_rows(issuer: Issuer) -> None:
    """The lookback picks up rows that came late for earlier days, and days before the window stay as they were."""
    contract = CONTRACTS["payments"]
    published = dict(issuer.published(f"SELECT authorized_on, count(*) FROM {contract.publish} GROUP BY 1"))
    day = "(authorized_at AT TIME ZONE 'Asia/Tokyo')::date"
    source = dict(issuer.source(f"SELECT {day}, count(*) FROM {contract.source} GROUP BY 1"))
    assert published[NEXT_DAY] == source[NEXT_DAY] > 0
    assert published[DAY] == source[DAY]


def test_the_next_day_is_merged(second: RunResult, issuer: Issuer) -> None:
    """A merge table reads what changed since the day before, and then holds the source's rows and sums."""
    for name in (name for name, contract in CONTRACTS.items() if isinstance(contract.load, MergeLoad)):
        contract = CONTRACTS[name]
        columns = ", ".join(["count(*)", *(f"sum({money})" for money in contract.reconcile)])
        published = issuer.published(f"SELECT {columns} FROM {contract.publish}")
        assert published == issuer.source(f"SELECT {columns} FROM {contract.source}"), name
        (result,) = (one for one in second.tables if one.table == name)
        assert 0 < result.rows < published[0][0]


@pytest.mark.usefixtures("second")
def test_rows_around_midnight_get_the_japanese_day(issuer: Issuer) -> None:
    """15:00 UTC is midnight in Japan: the instant before belongs to the old day, the instant itself to the new."""
    rows = dict(
        issuer.published(
            "SELECT authorized_at, authorized_on FROM ledger.payments "
            "WHERE authorized_at >= '2023-08-29 14:59:59+00' AND authorized_at < '2023-08-29 15:00:01+00'"
        )
    )
    days = {instant.isoformat(): day for instant, day in rows.items()}
    assert days["2023-08-29T14:59:59.999999+00:00"] == date(2023, 8, 29)
    assert days["2023-08-29T15:00:00+00:00"] == date(2023, 8, 30)


@pytest.mark.usefixtures("second")
def test_an_empty_day_empties_its_partition(issuer: Issuer) -> None:
    """When the source has no rows of a day any more, neither has the partition; other days stay."""
    before = dict(issuer.published("SELECT authorized_on, count(*) FROM ledger.payments GROUP BY 1"))
    empty = max(before) + timedelta(days=1)
    result = issuer.load(empty, "payments")
    assert result.tables[0].partitions == 3
    after = dict(issuer.published("SELECT authorized_on, count(*) FROM ledger.payments GROUP BY 1"))
    assert after == before


def test_the_ledger_tells_what_ran(second: RunResult, issuer: Issuer) -> None:
    """Each table of a run has one line with its rows, digests and key check values, and the run has start and end."""
    lines = issuer.published(f"SELECT table_name, outcome, rows FROM ops.table_loads WHERE run_id = '{second.run_id}'")
    assert sorted(lines) == sorted((one.table, "published", one.rows) for one in second.tables)
    events = issuer.published(f"SELECT event, exit_code FROM ops.runs WHERE run_id = '{second.run_id}'")
    assert sorted(events, key=str) == sorted([("started", None), ("ended", 0)], key=str)


def test_views_answer(second: RunResult, issuer: Issuer) -> None:
    """Every bundled view stands after a run, but for the app's, whose events nobody exports here; each returns rows."""
    names = sorted(view.name for view in load_views() if not view.tables([GA4_EVENTS]))
    assert len(names) == len(load_views()) - 1
    assert sorted(second.views) == names
    for name in names:
        assert issuer.published(f"SELECT count(*) FROM looker.{name}")[0][0] > 0, name


@pytest.mark.usefixtures("second")
def test_tokens_join_across_tables(issuer: Issuer) -> None:
    """Every payment finds its member and its card by token."""
    ((orphans,),) = issuer.published(
        "SELECT count(*) FROM ledger.payments p LEFT JOIN issuing.members m ON m.member_id = p.member_id "
        "WHERE m.member_id IS NULL"
    )
    assert orphans == 0
