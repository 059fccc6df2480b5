"""Bounds as whole numbers: the least value that reaches a bound is the one that Spark's comparison lets pass first."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

import pyarrow as pa
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from expectations.measures.bounds import least_reaching, within

FLOATS = st.floats(-1e30, 1e30, allow_nan=False)


@given(bound=FLOATS, scale=st.integers(0, 9), off=st.integers(-5, 5))
@example(bound=0.05, scale=2, off=0)
@example(bound=0.1 + 0.2, scale=9, off=0)
@example(bound=9007199254740993.0, scale=0, off=1)
def test_the_least_value_reaches_and_the_next_does_not(bound: float, scale: int, off: int) -> None:
    """Around a floating-point bound exactly those values reach it whose nearest double does."""
    units = round(Fraction(bound) * 10**scale) + off
    nearest = float(Fraction(units, 10**scale))
    assert (units >= least_reaching(bound, scale)) == (nearest >= bound)
    assert (units >= least_reaching(bound, scale, above=True)) == (nearest > bound)


@given(bound=st.decimals(-(10**20), 10**20, allow_nan=False), scale=st.integers(0, 9), off=st.integers(-2, 2))
def test_decimals_and_whole_numbers_are_compared_exactly(bound: Decimal, scale: int, off: int) -> None:
    """No value is rounded where the bound is none of the floating-point numbers."""
    units = round(Fraction(bound) * 10**scale) + off
    assert (units >= least_reaching(bound, scale)) == (Fraction(units, 10**scale) >= Fraction(bound))
    assert (units >= least_reaching(bound, scale, above=True)) == (Fraction(units, 10**scale) > Fraction(bound))


@pytest.mark.parametrize("kind", [pa.int64(), pa.decimal128(5, 2), pa.decimal128(38, 0)])
def test_bounds_that_a_type_cannot_hold_let_all_or_nothing_pass(kind: pa.DataType) -> None:
    """A bound beyond the type's own limits is no error: nothing reaches it, or everything does; NULL stays unknown."""
    batch = pa.record_batch([pa.array([Decimal(1), None]).cast(kind)], ["x"])
    assert within("x", kind, 1e300, None).holds(batch).to_pylist() == [False, None]
    assert within("x", kind, -1e300, 1e300).holds(batch).to_pylist() == [True, None]
    assert within("x", kind, None, -1e300).holds(batch).to_pylist() == [False, None]
