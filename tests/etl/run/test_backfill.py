"""Backfill: every day once, oldest first, within BigQuery's limits, and only what is not proven done."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import pytest

from etl.errors import SettingsInvalid
from etl.progress import JsonLines
from etl.publish import MODIFICATIONS_A_DAY, PARTITIONS_A_JOB
from etl.run.backfill import Backfilled, _Allowance, backfill, modifications, scopes_of, windows
from schemas.business_days import Window
from schemas.contract_file import load_contract
from tests.etl.conftest import DAY, FIRST_DAY, Issuer, Republish

LAST = date(2023, 8, 30)
THOUSAND = Window(LAST - timedelta(days=999), LAST)


def test_a_thousand_partitions_stay_within_the_limits() -> None:
    """1,000 days are one load where nothing else is published; else steps of a month whose changes fit one day."""
    (alone,) = scopes_of(THOUSAND, frozenset(), alone=True, at_most=31)
    assert alone.at_once
    assert alone.window == THOUSAND
    assert len(THOUSAND.days) == 1_000 <= PARTITIONS_A_JOB
    steps = scopes_of(THOUSAND, frozenset(), alone=False, at_most=31)
    assert [day for one in steps for day in (one.window or THOUSAND).days] == list(THOUSAND.days)
    assert sum(map(modifications, steps)) == 1_000 <= MODIFICATIONS_A_DAY
    assert max(map(modifications, steps)) == 31
    assert {one.day for one in steps} == {LAST}, "what depends on the day of the run is the same in every step"


def test_more_days_than_a_job_may_touch_are_cut() -> None:
    """A range of more partitions than one job may change is loaded day by day, however empty the table is."""
    long = Window(LAST - timedelta(days=PARTITIONS_A_JOB), LAST)
    assert not any(one.at_once for one in scopes_of(long, frozenset(), alone=True, at_most=31))


def test_days_that_are_done_are_left_out() -> None:
    """What is done splits the range; no step bridges it, and with anything done nothing is replaced whole."""
    done = frozenset(THOUSAND.days[10:990])
    steps = scopes_of(THOUSAND, done, alone=True, at_most=31)
    assert [one.window for one in steps] == [
        Window(THOUSAND.first, THOUSAND.days[9]),
        Window(THOUSAND.days[990], LAST),
    ]
    assert windows([LAST, LAST - timedelta(days=2)], 5) == (
        Window(LAST - timedelta(days=2), LAST - timedelta(days=2)),
        Window(LAST, LAST),
    )


def test_days_that_do_not_fit_today_are_left_in_order() -> None:
    """A table that may not take a step takes no later one either, however small; another table goes on."""
    allowance = _Allowance({"payments": 40, "clearings": 40})
    assert [allowance.takes("payments", days) for days in (31, 31, 2)] == [True, False, False]
    assert allowance.takes("clearings", 31)
    assert allowance.left == {"payments": 33}


@pytest.fixture
def folder(republished: Republish) -> Path:
    """Returns contracts that publish clearings and clubs a second time, where no other test looks."""
    return republished("backfill", "clubs", clearings="settled")


@pytest.mark.stack
def test_a_backfill_is_resumed_where_it_ended(issuer: Issuer, folder: Path) -> None:
    """First all days come in one load; then only those that are asked for anew, and with --resume only what is missing.

    Days outside the range stay, and each day equals the source.
    """
    contract = load_contract(folder / "settled.yaml")
    settings = issuer.settings.model_copy(
        update={"limits": issuer.settings.limits.model_copy(update={"backfill_days": 2})}
    )

    def run(first: date, last: date, *, resume: bool = False) -> Backfilled:
        return backfill(settings, Window(first, last), _QUIET, ["settled"], folder, resume=resume)

    def per_day(sql: str) -> dict[date, int]:
        return dict(issuer.published(sql))

    whole = run(FIRST_DAY, DAY - timedelta(days=1))
    assert [one.exit_code for one in whole.runs] == [0]
    assert whole.runs[0].tables[0].partitions == 1, "one load job for all days"
    day = f"({contract.window_column} AT TIME ZONE 'Asia/Tokyo')::date"
    source = dict(issuer.source(f"SELECT {day}, count(*) FROM {contract.source} GROUP BY 1"))
    published = f"SELECT {contract.partition_by}, count(*) FROM {contract.publish} GROUP BY 1"
    assert per_day(published) == {
        day: rows for day, rows in source.items() if FIRST_DAY <= day <= DAY - timedelta(days=1)
    }
    resumed = run(FIRST_DAY, DAY, resume=True)
    assert [one.tables[0].partitions for one in resumed.runs] == [1]
    assert per_day(published) == {day: rows for day, rows in source.items() if FIRST_DAY <= day <= DAY}
    assert not run(FIRST_DAY, DAY, resume=True).runs


@pytest.mark.stack
def test_a_past_snapshot_cannot_be_taken(issuer: Issuer, folder: Path) -> None:
    """A table of snapshots is refused by name before anything is read."""
    with pytest.raises(SettingsInvalid, match="clubs: a snapshot of a past day"):
        backfill(issuer.settings, THOUSAND, _QUIET, ["clubs"], folder)


_QUIET = JsonLines(open("/dev/null", "w", encoding="utf-8"))  # noqa: PTH123, SIM115  lives as long as the tests
