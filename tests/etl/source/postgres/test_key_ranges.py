"""On a real PostgreSQL every row is in exactly one slice, however the rows are spread and whatever comes later."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from etl.source import ReadColumn, Slice, hold_snapshot, join_snapshot, read_slice
from etl.source.postgres.session import PostgresSession
from schemas.types import ColumnType
from scripts.local_stack.local_stack import Endpoints
from tests.etl.conftest import Issuer

pytestmark = pytest.mark.stack

Primary = psycopg.Connection[tuple[object, ...]]
often = settings(
    max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)


@pytest.fixture(scope="module")
def primary(stack: Endpoints) -> Iterator[Primary]:
    """Yields a session on the primary, with a schema that is taken away again."""
    with psycopg.connect(stack.primary_url, autocommit=True) as connection:
        connection.execute("SET timezone = 'UTC'")
        connection.execute("SET synchronous_commit = off")
        connection.execute("CREATE SCHEMA sliced")
        yield connection
        connection.execute("DROP SCHEMA sliced CASCADE")


def sliced(primary: Primary, table: str, count: int, key: Sequence[str] = ()) -> tuple[Slice, ...]:
    """Cuts a relation as a plan does."""
    session = PostgresSession(primary)
    found = session.describe(table)
    assert found is not None
    return session.slices(found, count, key)


def read(primary: Primary, table: str, slices: Sequence[Slice]) -> list[Counter[int]]:
    """Returns the ids of each slice."""
    rows = [primary.execute(f"SELECT id FROM {table} WHERE {part.where}".encode()).fetchall() for part in slices]
    return [Counter(int(str(row[0])) for row in part) for part in rows]


@pytest.fixture(scope="module")
def leaves(primary: Primary) -> str:
    """Returns a partitioned table of two levels, whose rows fill pages quickly."""
    primary.execute(
        "CREATE TABLE sliced.parts (id int, leaf int, filler text) PARTITION BY LIST (leaf);"
        "ALTER TABLE sliced.parts ALTER filler SET STORAGE PLAIN;"
        "CREATE TABLE sliced.parts_0 PARTITION OF sliced.parts FOR VALUES IN (0);"
        "CREATE TABLE sliced.parts_1 PARTITION OF sliced.parts FOR VALUES IN (1);"
        "CREATE TABLE sliced.parts_2 PARTITION OF sliced.parts FOR VALUES IN (2, 3) PARTITION BY LIST (leaf);"
        "CREATE TABLE sliced.parts_2a PARTITION OF sliced.parts_2 FOR VALUES IN (2);"
        "CREATE TABLE sliced.parts_2b PARTITION OF sliced.parts_2 FOR VALUES IN (3)"
    )
    return "sliced.parts"


@often
@given(
    sizes=st.lists(st.sampled_from([0, 1, 3, 40, 400]), min_size=4, max_size=4),
    later=st.integers(0, 60),
    count=st.integers(1, 12),
)
def test_leaves_of_unlike_size(primary: Primary, leaves: str, sizes: list[int], later: int, count: int) -> None:
    """Ranges of pages over a partitioned table hold each row once, later ones too, in equal parts."""
    primary.execute("TRUNCATE sliced.parts")
    fill = "INSERT INTO sliced.parts SELECT n, %s, repeat('x', 2500) FROM generate_series(%s::int, %s::int) n"
    first = 0
    for leaf, size in enumerate(sizes):
        primary.execute(fill, (leaf, first + 1, first + size))
        first += size
    slices = sliced(primary, leaves, count)
    before = read(primary, leaves, slices)
    primary.execute(fill, (0, first + 1, first + later))
    found = read(primary, leaves, slices)
    assert sum(found, Counter()) == Counter(range(1, first + later + 1))
    pages = max(-(-size // 3) for size in sizes)  # three rows fill a page
    assert len(slices) <= max(1, min(count, pages))
    if len(slices) == count:
        largest = max(part.total() for part in before)
        assert largest <= first / count + 2 * 3 * len(sizes)


KEYS = {
    "bigint": st.one_of(st.integers(-(2**63), 2**63 - 1), st.integers(0, 5)).map(str),
    "numeric": st.one_of(st.decimals(-5, 5, places=3).map(str), st.sampled_from(["NaN", "Infinity", "1e30", "-0"])),
    "uuid": st.one_of(st.uuids().map(str), st.just("00000000-0000-0000-0000-000000000000")),
    "text": st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=4),
    "varchar(8)": st.sampled_from(["a", "B", "あ", "ア", "", "a ", "zz", "é", "'", "\\"]),
    "char(4)": st.sampled_from(["a", "a  ", "B", "ab", "ア"]),
    "date": st.one_of(st.dates().map(str), st.sampled_from(["infinity", "-infinity", "0044-03-15 BC"])),
    "timestamp": st.one_of(st.datetimes().map(str), st.just("infinity")),
    "timestamptz": st.one_of(st.datetimes().map(str), st.sampled_from(["-infinity", "2023-03-12 02:30:00-05"])),
    "integer[]": st.just("{1}"),
}
"""Types of keys; one that has no row in the table of kinds leaves the relation whole."""


@pytest.mark.parametrize("kind", KEYS)
def test_ranges_of_keys(primary: Primary, kind: str) -> None:
    """A view is cut by its key: each row once, with NULLs, keys that many rows share, and rows that came later."""
    primary.execute(f"CREATE TABLE sliced.keyed (id int, k {kind})".encode())
    primary.execute("CREATE VIEW sliced.seen AS SELECT id, k FROM sliced.keyed")
    try:
        _holds_for_all_keys(primary, kind)
    finally:
        primary.execute("DROP TABLE sliced.keyed CASCADE")


def _holds_for_all_keys(primary: Primary, kind: str) -> None:
    keys = st.lists(st.one_of(KEYS[kind], st.none()), max_size=60)

    @often
    @given(keys=keys, later=keys, heavy=st.integers(0, 200), count=st.integers(1, 12))
    def every_row_once(keys: list[str | None], later: list[str | None], heavy: int, count: int) -> None:
        shared = keys[:1] * heavy
        primary.execute("TRUNCATE sliced.keyed")
        add = f"INSERT INTO sliced.keyed SELECT n + %s, v::{kind} FROM unnest(%s::text[]) WITH ORDINALITY u (v, n)"
        primary.execute(add.encode(), (0, keys + shared))
        slices = sliced(primary, "sliced.seen", count, ["k"])
        primary.execute(add.encode(), (len(keys + shared), later))
        found = read(primary, "sliced.seen", slices)
        assert sum(found, Counter()) == Counter(range(1, len(keys) + len(shared) + len(later) + 1))
        assert len(slices) <= 2 * count

    every_row_once()


def test_spread_keys_give_equal_slices(primary: Primary) -> None:
    """Keys in heaps and gaps: eight slices asked for, eight given, none with more than twice its share."""
    primary.execute(
        "CREATE VIEW sliced.skewed AS SELECT n AS id, CASE WHEN n % 2 = 0 THEN n ELSE 9000000000 + n * n END AS k "
        "FROM generate_series(1, 8000) n"
    )
    slices = sliced(primary, "sliced.skewed", 8, ["k"])
    sizes = [part.total() for part in read(primary, "sliced.skewed", slices)]
    assert len(sizes) == 8
    assert max(sizes) <= 2000


SHAPES = """\
CREATE SCHEMA shapes;
CREATE TABLE shapes.parts (id int, day date, name text) PARTITION BY RANGE (day);
CREATE TABLE shapes.parts_old PARTITION OF shapes.parts FOR VALUES FROM ('2020-01-01') TO ('2023-01-01');
CREATE TABLE shapes.parts_new PARTITION OF shapes.parts FOR VALUES FROM ('2023-01-01') TO ('2024-01-01');
INSERT INTO shapes.parts SELECT n, CASE WHEN n % 50 = 0 THEN '2022-05-05' ELSE '2023-05-05' END::date,
    chr(12449 + n % 80) || n FROM generate_series(1, 5000) n;
CREATE VIEW shapes.names AS SELECT id, name FROM shapes.parts;
GRANT USAGE ON SCHEMA shapes TO etl_reader;
GRANT SELECT ON shapes.parts, shapes.names TO etl_reader
"""


@pytest.mark.parametrize(
    ("table", "key"), [("shapes.parts", ["id"]), ("shapes.names", ["name"]), ("shapes.names", ["id"])]
)
def test_slices_are_read_from_the_standby(issuer: Issuer, table: str, key: list[str]) -> None:
    """The reader takes conditions on pages, texts and numbers as they are, without a grant on the partitions."""
    issuer.source(SHAPES)
    try:
        with hold_snapshot(issuer.settings.source) as held, join_snapshot(held.snapshot) as session:
            found = session.describe(table)
            assert found is not None
            slices = session.slices(found, 6, key)
            columns = [ReadColumn("id", ColumnType("int64")), ReadColumn("name", ColumnType("string"))]
            read = [
                batch.column(0).to_pylist()
                for part in slices
                for batch in read_slice(held.snapshot, table, columns, part.where)
            ]
    finally:
        issuer.source("DROP SCHEMA shapes CASCADE")
    assert len(slices) == 6
    assert Counter(one for ids in read for one in ids) == Counter(range(1, 5001))
