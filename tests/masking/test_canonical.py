"""Typed values have one written text, whatever type and scale they come in."""

from __future__ import annotations

import re
from decimal import Decimal
from uuid import UUID

import pyarrow as pa
import pytest
from hypothesis import given as for_all
from hypothesis import strategies as st

from masking.canonical import canonical
from masking.errors import StrategyMisused


@for_all(
    st.lists(st.none() | st.decimals(-(10**15), 10**15, places=4), max_size=20),
    st.sampled_from([pa.decimal128(30, 4), pa.decimal128(38, 12), pa.decimal256(60, 20)]),
)
def test_a_decimal_has_one_text_whatever_its_scale(numbers: list[Decimal | None], source: pa.DataType) -> None:
    """No exponent, no plus, no trailing zeros of a fraction, no negative zero; and the text is the number."""
    texts = canonical(pa.array(numbers, source)).to_pylist()
    for number, text in zip(numbers, texts, strict=True):
        if number is None:
            assert text is None
            continue
        assert Decimal(text) == number
        assert re.fullmatch(r"-?(0|[1-9][0-9]*)(\.[0-9]*[1-9])?", text)
        assert text != "-0"


@pytest.mark.parametrize(
    ("number", "text"),
    [("42.00", "42"), ("0.50", "0.5"), ("-0.05", "-0.05"), ("100.00", "100"), ("0.00", "0"), ("-1.10", "-1.1")],
)
@pytest.mark.parametrize("source", [pa.decimal128(10, 2), pa.decimal128(30, 10), pa.decimal256(40, 2)], ids=str)
def test_trailing_zeros_of_a_fraction_are_not_written(number: str, text: str, source: pa.DataType) -> None:
    """Money and rates meet whole numbers: the zeros at the end of a fraction go, those of a whole number stay."""
    assert canonical(pa.array([Decimal(number)], source)).to_pylist() == [text]


def test_integers_and_decimals_of_negative_scale_meet() -> None:
    """1,000 is written alike as an integer and as a decimal that counts thousands."""
    thousands = pa.array([Decimal("1E3")], pa.decimal128(5, -3))
    assert canonical(thousands).to_pylist() == canonical(pa.array([1000], pa.uint16())).to_pylist() == ["1000"]


class _Uuid(pa.ExtensionType):
    """The canonical extension type, which older Arrow versions do not bring along."""

    def __init__(self) -> None:
        super().__init__(pa.binary(16), "arrow.uuid")

    def __arrow_ext_serialize__(self) -> bytes:
        return b""


def test_uuids_have_their_usual_text() -> None:
    """A uuid read as 16 bytes meets the same uuid read as text."""
    known = UUID("123e4567-e89b-12d3-a456-426614174000")
    column = pa.ExtensionArray.from_storage(_Uuid(), pa.array([known.bytes, None], pa.binary(16)))
    assert canonical(column).to_pylist() == [str(known), None]


@pytest.mark.parametrize("column", [pa.array([1.5]), pa.array([0], pa.timestamp("ns")), pa.array([[1]])])
def test_what_has_no_canonical_text_is_refused(column: pa.Array) -> None:
    """Floating point has many texts for one number; the refusal names the type only."""
    with pytest.raises(StrategyMisused, match=re.escape(f"type {column.type} have no canonical text")):
        canonical(column)
