"""Hashes of rows tell equal rows from others, whatever the columns hold."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal

import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from etl.audit.hashes import among, hashes_of, hashes_of_values, in_order, repeated
from expectations.measures import Unique
from expectations.measures.predicates import Missing, Not

SCHEMA = pa.schema([
    ("text", pa.string()),
    ("whole", pa.int64()),
    ("cost", pa.decimal128(20, 2)),
    ("day", pa.date32()),
    ("at", pa.timestamp("us", "UTC")),
    ("open", pa.bool_()),
    ("raw", pa.binary()),
])  # fmt: skip
ROW = st.tuples(
    st.none() | st.text("aé山\0", max_size=20),
    st.none() | st.integers(-3, 3) | st.sampled_from([-(2**63), 2**63 - 1]),
    st.none() | st.sampled_from([Decimal(0), Decimal("0.01"), Decimal("-0.01"), Decimal("184467440737095516.16")]),
    st.none() | st.sampled_from([date(1970, 1, 1), date(1969, 12, 31), date(9999, 12, 31)]),
    st.none() | st.sampled_from([datetime(1970, 1, 1, tzinfo=UTC), datetime(2023, 8, 30, 3, tzinfo=UTC)]),
    st.none() | st.booleans(),
    st.none() | st.binary(max_size=9),
)


def batch(rows: list[tuple[object, ...]]) -> pa.RecordBatch:
    """Returns rows as a slice of a longer batch, so that offsets are not zero."""
    filled = [("z", 9, Decimal(9), date(2000, 1, 1), datetime(2000, 1, 1, tzinfo=UTC), True, b"z"), *rows]
    columns = [pa.array(values, field.type) for values, field in zip(zip(*filled, strict=True), SCHEMA, strict=True)]
    return pa.RecordBatch.from_arrays(columns, schema=SCHEMA).slice(1)


@given(rows=st.lists(ROW, max_size=30))
def test_as_many_hashes_as_different_rows(rows: list[tuple[object, ...]]) -> None:
    """Equal rows have one hash and different rows different ones; NULL equals NULL, and neither zero nor nothing."""
    for names in (["text"], ["cost"], ["whole", "open"], SCHEMA.names):
        places = [SCHEMA.names.index(name) for name in names]
        hashes = hashes_of(batch(rows), Unique(tuple(names)))
        assert len(hashes) == len(rows)
        assert len(set(hashes.tolist())) == len({tuple(row[place] for place in places) for row in rows})


@given(rows=st.lists(ROW, max_size=30))
def test_a_repeated_hash_is_found_in_whatever_batch(rows: list[tuple[object, ...]]) -> None:
    """Hashes of several batches are compared together; rows that a condition leaves out are not compared."""
    rule = Unique(("text",), Not(Missing("text")))
    texts = [row[0] for row in rows if row[0] is not None]
    parts = [hashes_of(batch(part), rule) for part in (rows[::2], rows[1::2])]
    assert repeated(parts) == (len(texts) > len(set(texts)))


def test_texts_of_other_lengths_have_other_hashes() -> None:
    """Also where what a text is filled up with, to whole words, could be a part of it."""
    texts = ["", "\0", "0", "3\0", "2\0\0", "a", "b\0", "a\0\0\0\0\0\0\0", "a" + 8 * "\0"]
    assert len(set(hashes_of_values(pa.array(texts)).tolist())) == len(texts)


@given(known=st.lists(st.text(max_size=9)), asked=st.lists(st.text(max_size=9)))
def test_texts_are_found_among_others(known: list[str], asked: list[str]) -> None:
    """As many as are there, each as often as it is asked for; among none, none; encoded texts have the same hashes."""
    hashes = in_order([hashes_of_values(pa.array(known, pa.string()))])
    wanted = pa.array(asked + known[:3], pa.string())
    found = sum(text in set(known) for text in wanted.to_pylist())
    assert among(hashes, hashes_of_values(wanted)) == found
    assert among(hashes, hashes_of_values(wanted.dictionary_encode())) == found
