"""Columns are encoded where their values repeat, and hold what they held before."""

from __future__ import annotations

import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from masking.repeats import with_repeats_encoded

TEXTS = st.lists(st.lists(st.sampled_from([None, "", "a", "b", "東京"]) | st.text(), max_size=9), max_size=4)


def test_columns_whose_values_come_twice_on_average_are_encoded() -> None:
    """The first batch decides for the slice, so that all batches have one schema; other columns are left alone."""
    first = pa.record_batch({"card": ["a", "a", "b", "b"], "id": ["1", "2", "3", "4"], "amount": [1, 1, 1, 1]})
    second = pa.record_batch({"card": ["c", "d", "e", None], "id": ["5", "5", "5", "5"], "amount": [2, 2, 2, 2]})
    encoded = list(with_repeats_encoded([first, second], ["card", "id"]))
    assert [pa.types.is_dictionary(kind) for kind in encoded[0].schema.types] == [True, False, False]
    assert encoded[1].schema == encoded[0].schema
    assert [batch.to_pydict() for batch in encoded] == [first.to_pydict(), second.to_pydict()]


@given(TEXTS)
def test_no_value_changes(batches: list[list[str | None]]) -> None:
    """Whatever repeats or not: as many batches, and in each the same values."""
    raw = [pa.record_batch({"c": pa.array(values, pa.string())}) for values in batches]
    assert [b.to_pydict() for b in with_repeats_encoded(raw, ["c"])] == [b.to_pydict() for b in raw]
