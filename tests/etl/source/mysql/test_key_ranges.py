"""Key ranges cover a table exactly once, and evenly however its keys are spread."""

from __future__ import annotations

from bisect import bisect_left
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from etl.source import hold_snapshot, join_snapshot
from etl.source.mysql.key_ranges import key_slices, literal, measured_bounds
from tests.etl.source.mysql.mysql_source import MySql


@given(st.sets(st.integers(-(2**63), 2**63 - 1), min_size=1, max_size=200), st.integers(1, 50))
def test_ranges_are_even_whatever_the_gaps(keys: set[int], most: int) -> None:
    """No range holds more than `most` keys, neighbors are not both nearly empty, and bounds ascend between the ends."""
    ordered = sorted(keys)
    asked = 0

    def rows(first: int, end: int) -> int:
        nonlocal asked
        asked += 1
        return bisect_left(ordered, end) - bisect_left(ordered, first)

    bounds = measured_bounds(ordered[0], ordered[-1], rows, most)
    assert bounds == sorted(set(bounds))
    assert all(ordered[0] < bound <= ordered[-1] for bound in bounds)
    edges = [0, *(bisect_left(ordered, bound) for bound in bounds), len(ordered)]
    held = [after - before for before, after in pairwise(edges)]
    assert max(held) <= most
    assert all(one + other > most for one, other in pairwise(held))
    assert asked <= 1 + 2 * 64 * (len(ordered) // most + 1)


def test_slices_have_open_ends_and_no_quotable_text() -> None:
    """Rows beyond the measured keys are read too; text is spelled in hexadecimal; a slice's repr shows no key."""
    first, middle, last = key_slices("id", ["a'b", "\\c"])
    assert (first.where, middle.where, last.where) == (
        "`id` < _utf8mb4 X'612762'",
        "`id` >= _utf8mb4 X'612762' AND `id` < _utf8mb4 X'5c63'",
        "`id` >= _utf8mb4 X'5c63'",
    )
    assert "612762" not in repr(middle)
    with pytest.raises(TypeError):
        literal(object())


@pytest.mark.stack
@pytest.mark.parametrize("table", ["ledger.payments", "ledger.clearings"], ids=["whole numbers", "text"])
def test_slices_of_a_real_table_hold_every_row_once(mysql: MySql, table: str) -> None:
    """Measured on the server, slices of a numeric and of a text key add up to the table, and none is far too large."""
    with hold_snapshot(mysql.settings.source) as held, join_snapshot(held.snapshot) as session:
        described = session.describe(table)
        assert described is not None
        slices = session.slices(described, 8)
        counts = [int(str(session.row(f"SELECT count(*) FROM {table} WHERE {part.where}")[0])) for part in slices]
        (total,) = session.row(f"SELECT count(*) FROM {table}")
    assert sum(counts) == total
    assert 4 <= len(slices) <= 20
    assert max(counts) <= int(str(total)) // 3
