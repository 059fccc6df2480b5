"""Slices cover a table exactly once."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from etl.source import (
    Changes,
    busy_slices,
    change_slices,
    changes_condition,
    days_condition,
    whole_table,
    window_slices,
)
from etl.source.slices import ctid_slices


@given(st.integers(0, 10_000_000), st.integers(1, 300))
def test_page_ranges_are_adjacent_and_open_at_the_end(pages: int, count: int) -> None:
    """Ranges start at page 0, each begins where the last ended, and the last has no end."""
    slices = ctid_slices([pages], count)
    starts = [int(re.findall(r">= '\((\d+),0\)'", part.where)[0]) for part in slices]
    ends = [re.findall(r"< '\((\d+),0\)'", part.where) for part in slices]
    assert starts[0] == 0
    assert [int(end[0]) for end in ends[:-1]] == starts[1:]
    assert ends[-1] == []
    assert len(slices) <= max(1, min(count, pages))


@given(st.dates(date(2000, 1, 1), date(2100, 1, 1)), st.integers(1, 5), st.integers(1, 50))
def test_days_are_cut_without_gap_or_overlap(day: date, days: int, a_day: int) -> None:
    """Spans are adjacent, begin and end at midnight in Japan, and none crosses a business day."""
    wanted = [day + timedelta(days=n) for n in range(days)]
    slices = window_slices("at", "timestamp", wanted, a_day)
    spans = [
        tuple(datetime.fromisoformat(text) for text in re.findall(r"TIMESTAMPTZ '([^']+)'", part.where))
        for part in slices
    ]
    assert spans[0][0] == datetime(day.year, day.month, day.day, tzinfo=UTC) - timedelta(hours=9)
    assert all(before[1] == after[0] for before, after in pairwise(spans))
    assert spans[-1][1] - spans[0][0] == timedelta(days=days)
    for part, (start, end) in zip(slices, spans, strict=True):
        assert (start + timedelta(hours=9)).date() == part.partition
        assert (end + timedelta(hours=9) - timedelta(microseconds=1)).date() == part.partition


def test_dates_and_views_have_plain_slices() -> None:
    """A date column gives one slice a day, a view is one slice."""
    days = [date(2023, 8, 30), date(2023, 8, 31)]
    assert [part.where for part in window_slices("on", "date", days, 9)] == [
        "\"on\" = DATE '2023-08-30'",
        "\"on\" = DATE '2023-08-31'",
    ]
    assert [part.where for part in whole_table()] == ["TRUE"]


@given(st.dictionaries(st.integers(0, 2 * 24 * 60 - 1), st.integers(1, 5_000), max_size=80), st.integers(1, 20_000))
def test_busy_hours_are_cut_finely_and_quiet_ones_together(minutes: dict[int, int], most: int) -> None:
    """Spans cover each day without gap or overlap; none holds more than asked for, but for a single minute."""
    days = [date(2023, 8, 30), date(2023, 8, 31)]
    start = datetime(2023, 8, 29, 15, tzinfo=UTC)
    since = int(start.timestamp()) // 60
    slices = busy_slices("at", days, {since + minute: rows for minute, rows in minutes.items()}, most)
    spans = [
        [datetime.fromisoformat(text) for text in re.findall(r"TIMESTAMPTZ '([^']+)'", part.where)] for part in slices
    ]
    assert (spans[0][0], spans[-1][1]) == (start, start + timedelta(days=2))
    assert all(before[1] == after[0] for before, after in pairwise(spans))
    for part, (first, end) in zip(slices, spans, strict=True):
        assert part.partition in days
        inside = [rows for minute, rows in minutes.items() if first <= start + timedelta(minutes=minute) < end]
        assert sum(inside) <= most or len(inside) == 1
    assert len(slices) <= 2 + 2 * sum(minutes.values()) // most


@given(st.dates(date(2000, 1, 1), date(2100, 1, 1)), st.integers(1, 40))
def test_a_range_of_days_is_its_days(day: date, days: int) -> None:
    """One condition for a range begins where its first day does and ends where its last one does."""
    wanted = [day + timedelta(days=n) for n in range(days)]
    slices = window_slices("at", "timestamp", wanted, 1)
    first, last = _instants(slices[0].where), _instants(slices[-1].where)
    assert _instants(days_condition("at", "timestamp", wanted[0], wanted[-1])) == [first[0], last[1]]
    assert days_condition("on", "date", day, day).count(f"DATE '{day}'") == 2


@given(
    st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001
    st.timedeltas(timedelta(0), timedelta(days=90)),
    st.integers(1, 50),
    st.booleans(),
)
def test_changes_are_cut_without_gap_or_overlap(since: datetime, span: timedelta, count: int, closed: bool) -> None:  # noqa: FBT001
    """Spans begin after the watermark less the overlap, each where the last ended; the last is open unless closed."""
    overlap = timedelta(minutes=90)
    changes = Changes("at", since, overlap, since + span, closed)
    slices = change_slices(changes, count)
    spans = [_instants(part.where) for part in slices]
    assert len(slices) == count
    assert spans[0][0] == since - overlap
    assert all(before[1] == after[0] for before, after in pairwise(spans))
    assert len(spans[-1]) == (2 if closed else 1)
    ends = [since - overlap, since + span] if closed else [since - overlap]
    assert _instants(changes_condition(changes)) == ends
    assert not closed or spans[-1][1] == since + span
    whole_table = Changes("at", None, overlap, since, closed)
    assert changes_condition(whole_table) == "TRUE"


def _instants(where: str) -> list[datetime]:
    return [datetime.fromisoformat(text) for text in re.findall(r"TIMESTAMPTZ '([^']+)'", where)]
