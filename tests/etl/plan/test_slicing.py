"""Slices are cut where the rows are, as many as size and workers ask for, and hold every row once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import date

import psycopg
import pytest
from hypothesis import given
from hypothesis import strategies as st

from etl.plan import slicing
from etl.plan.extent import Extent
from etl.plan.slicing import SMALLEST, Sliced, SliceSize, sliced
from etl.source import Slice
from etl.source.postgres.session import PostgresSession
from schemas.business_days import Window
from schemas.contract import Contract
from scripts.local_stack.local_stack import Endpoints

Primary = psycopg.Connection[tuple[object, ...]]
DAYS = Window(date(2023, 8, 29), date(2023, 8, 31))
CONTRACT = {
    "table": "sold",
    "about": "One row for each sale.",
    "publish": "s.sold",
    "load": {"mode": "partition", "by": "sold_on"},
    "key": ["id"],
    "columns": {
        "id": {"type": "int64", "class": "identifier", "mask": {"strategy": "tokenize", "domain": "sale"}},
        "at": {
            "type": "timestamp", "class": "none", "mask": {"strategy": "keep", "why": "a time"}, "nullable": False,
        },
        "filler": {"type": "string", "class": "free_text", "mask": {"strategy": "drop"}},
    },
    "derive": {"sold_on": {"type": "date", "from": "at", "as": "business_date"}},
}  # fmt: skip
TABLE = """\
CREATE SCHEMA busy;
CREATE TABLE busy.sold (id bigint PRIMARY KEY, at timestamptz NOT NULL, filler text);
CREATE INDEX ON busy.sold (at);
INSERT INTO busy.sold SELECT n, '2023-08-29 11:00+09'::timestamptz + n * interval '70 milliseconds', repeat('x', 100)
    FROM generate_series(1, 20000) n;
INSERT INTO busy.sold SELECT 50000 + n, '2023-08-31 23:59:59.5+09', repeat('x', 100) FROM generate_series(1, 3000) n;
INSERT INTO busy.sold SELECT 90000 + n, '2023-08-28 23:59:59.9+09', '' FROM generate_series(1, 500) n;
INSERT INTO busy.sold SELECT 95000 + n, '2023-09-01 00:00+09', '' FROM generate_series(1, 500) n;
CREATE TABLE busy.dated AS SELECT id, '2023-08-30'::date AS sold_on, filler FROM busy.sold;
UPDATE busy.dated SET sold_on = '2023-08-31' WHERE id > 95000;
ALTER TABLE busy.dated ALTER sold_on SET NOT NULL;
ANALYZE busy.dated;
CREATE VIEW busy.seen AS SELECT * FROM busy.sold;
ANALYZE busy.sold
"""


@given(st.integers(0, 2**40), st.integers(1, 2**31), st.integers(1, 64))
def test_more_slices_than_workers_where_it_is_worth_it(size: int, target: int, workers: int) -> None:
    """Two slices a worker unless they would be tiny; none above the target size until there are too many."""
    count = SliceSize(target, workers).count(size)
    assert 1 <= count <= 2000
    assert count == 2000 or size <= count * target
    if size >= 2 * workers * SMALLEST and 2 * workers <= 2000:
        assert count >= 2 * workers


@pytest.fixture(scope="module")
def primary(stack: Endpoints) -> Iterator[Primary]:
    """Yields a session on the primary, with a table most of whose rows are of one hour of three days."""
    with psycopg.connect(stack.primary_url, autocommit=True) as connection:
        connection.execute("SET timezone = 'UTC'")
        connection.execute(TABLE.encode())
        yield connection
        connection.execute("DROP SCHEMA busy CASCADE")


def cut(primary: Primary, source: str = "busy.sold", *, measure: bool = True, at_once: bool = False) -> Sliced:
    """Cuts the three days as a plan does, at 200 KiB a slice."""
    session = PostgresSession(primary)
    contract = Contract.model_validate({**CONTRACT, "source": source})
    found = session.describe(source)
    assert found is not None
    size = SliceSize(200 * 1024)
    return sliced(session, Extent(contract, found, DAYS, at_once=at_once, measure=measure), size)


def rows(primary: Primary, source: str, slices: Sequence[Slice]) -> list[list[tuple[object, ...]]]:
    """Returns id and business day of the rows of each slice."""
    asked = f"SELECT id, (at AT TIME ZONE 'Asia/Tokyo')::date FROM {source} WHERE "
    return [primary.execute((asked + part.where).encode()).fetchall() for part in slices]


@pytest.mark.stack
@pytest.mark.parametrize(("source", "parts"), [("busy.sold", 8), ("busy.seen", 2)])
def test_a_busy_hour_is_cut_and_a_quiet_day_is_not(primary: Primary, source: str, parts: int) -> None:
    """Each row of the days once, in a slice of its day; the hour with nearly all rows is cut into like parts."""
    found = cut(primary, source)
    read = rows(primary, source, found.slices)
    assert Counter(one for part in read for one, _ in part) == Counter([*range(1, 20001), *range(50001, 53001)])
    assert all(day == part.partition for part, held in zip(found.slices, read, strict=True) for _, day in held)
    of_day = Counter(part.partition for part in found.slices)
    assert (of_day[date(2023, 8, 30)], of_day[date(2023, 8, 31)]) == (1, 1)
    assert of_day[date(2023, 8, 29)] >= parts
    assert max(len(held) for held in read) <= max(3000, 23000 // parts)  # the 3,000 rows of one instant stay together
    assert found.rows == 23000
    assert found.bytes > 0


@pytest.mark.stack
def test_a_day_without_hours_is_cut_by_its_keys(primary: Primary) -> None:
    """Where a date places rows in days, a full day is cut by ranges of the key, measured on that day's rows."""
    kept = {"type": "date", "class": "none", "mask": {"strategy": "keep", "why": "a day"}, "nullable": False}
    columns = {name: column for name, column in CONTRACT["columns"].items() if name != "at"}  # type: ignore[attr-defined]
    contract = Contract.model_validate(
        {**CONTRACT, "source": "busy.dated", "columns": {**columns, "sold_on": kept}, "derive": {}}
    )
    session = PostgresSession(primary)
    source = session.describe("busy.dated")
    assert source is not None
    found = sliced(session, Extent(contract, source, DAYS), SliceSize(200 * 1024))
    read = [
        primary.execute(f"SELECT id, sold_on FROM busy.dated WHERE {part.where}".encode()).fetchall()
        for part in found.slices
    ]
    assert Counter(part.partition for part in found.slices)[date(2023, 8, 30)] >= 8
    assert [part.number for part in found.slices] == list(range(len(found.slices)))
    assert all(day == part.partition for part, held in zip(found.slices, read, strict=True) for _, day in held)
    assert sum(len(held) for held in read) == len({one for held in read for one, _ in held}) == 24000
    assert max(len(held) for held in read) <= 2 * 23500 / 8


@pytest.mark.stack
def test_a_sample_tells_where_the_rows_are(primary: Primary, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of large windows only some rows are counted: about equal slices, and still each row once."""
    monkeypatch.setattr(slicing, "COUNTED", 4000)
    found = cut(primary)
    read = rows(primary, "busy.sold", found.slices)
    assert Counter(one for part in read for one, _ in part) == Counter([*range(1, 20001), *range(50001, 53001)])
    assert 18000 < found.rows < 28000
    assert max(len(held) for held in read) <= 4000


@pytest.mark.stack
def test_without_measuring_days_are_cut_by_the_clock(primary: Primary) -> None:
    """The printed plan asks for statistics only: equal spans, the same rows, each once."""
    found = cut(primary, measure=False)
    read = rows(primary, "busy.sold", found.slices)
    assert Counter(one for part in read for one, _ in part) == Counter([*range(1, 20001), *range(50001, 53001)])
    assert len(Counter(part.partition for part in found.slices)) == 3
    assert cut(primary, "busy.seen", measure=False, at_once=True).slices[0].where.startswith("(TRUE) AND")


@pytest.mark.stack
@pytest.mark.parametrize(("source", "parts"), [("busy.sold", 8), ("busy.seen", 2)])
def test_a_window_at_once_is_cut_like_the_table(primary: Primary, source: str, parts: int) -> None:
    """Where a slice need not keep to a day, pages or keys cut the window; again each row once."""
    found = cut(primary, source, at_once=True)
    read = rows(primary, source, found.slices)
    assert len(found.slices) >= parts
    assert Counter(one for part in read for one, _ in part) == Counter([*range(1, 20001), *range(50001, 53001)])
