"""A separator parts two keys in the database's order, and tells as little of them as it can."""

from __future__ import annotations

from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from etl.source.postgres.separators import KEY_KINDS

INTEGERS = st.integers(-(2**63), 2**63 - 1)


@given(INTEGERS, INTEGERS)
def test_whole_numbers(one: int, other: int) -> None:
    """Above the lower key, not above the higher one, and as round as any such number."""
    low, high = sorted((one, other))
    if low == high:
        return
    found = int(KEY_KINDS["int8"].between(str(low), str(high)) or "")
    assert low < found <= high
    step = found & -found or 2**63
    assert not any(number % (2 * step) == 0 for number in (found - step, found + step) if low < number <= high)


@given(st.uuids(), st.uuids())
def test_uuids(one: UUID, other: UUID) -> None:
    """UUIDs are ordered by their bytes."""
    low, high = sorted((str(one), str(other)))
    if low != high:
        found = str(KEY_KINDS["uuid"].between(low, high)).split("'")[1]
        assert low < found <= high


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=6), st.text(st.characters(exclude_categories=["Cs"])))
def test_texts(one: str, other: str) -> None:
    """Texts are ordered by their bytes; it begins the higher one, one sign past what they share."""
    low, high = sorted((one, other), key=lambda text: text.encode())
    if low != high:
        literal = str(KEY_KINDS["text"].between(low, high))
        found = bytes.fromhex(literal.split("\\x")[1].split("'", maxsplit=1)[0])
        assert low.encode() < found <= high.encode()
        assert high.encode().startswith(found)
        assert low.encode().startswith(found.decode()[:-1].encode())


@pytest.mark.parametrize(
    ("kind", "low", "high", "literal"),
    [
        ("date", "2023-08-30", "2023-09-02", "DATE '2023-09-01'"),
        ("date", "2022-08-30", "2023-09-02", "DATE '2023-01-01'"),
        ("timestamptz", "2023-08-30 12:10:00+00", "2023-08-30 12:15:59.5+00", "TIMESTAMPTZ '2023-08-30 12:15:00+00'"),
        ("timestamp", "2023-08-30 12:10:00", "2023-08-30 12:10:00.5", "TIMESTAMP '2023-08-30 12:10:00.500000'"),
        ("numeric", "1.25", "1.51", "1.5::numeric"),
        ("numeric", "-7.1", "12", "0::numeric"),
        ("numeric", "99999999999999999999999999999999999998", "99999999999999999999999999999999999999",
         "99999999999999999999999999999999999999::numeric"),
        ("numeric", "1", "NaN", None),
        ("date", "2023-08-30", "infinity", None),
    ],
)  # fmt: skip
def test_times_and_decimals(kind: str, low: str, high: str, literal: str | None) -> None:
    """The coarsest time and the shortest number; there is none next to what is infinite."""
    assert KEY_KINDS[kind].between(low, high) == literal
