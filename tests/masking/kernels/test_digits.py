"""Digits out of written numbers."""

from __future__ import annotations

from itertools import pairwise

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from masking.kernels.buffers import ByteStrings
from masking.kernels.digits import SEPARATORS, digits_of

FULL_WIDTH = str.maketrans({chr(0xFF10 + digit): str(digit) for digit in range(10)})
TEXTS = st.text(alphabet="0123456789０１２３４５６７８９aé山" + SEPARATORS, max_size=25)


def extract(column: pa.Array) -> tuple[list[bytes], list[bool]]:
    """Returns the digits of each row, and which rows are flagged."""
    digits, flagged = digits_of(ByteStrings.from_arrow(column))
    ends = digits.offsets.tolist()
    return [digits.data[a:b].tobytes() for a, b in pairwise(ends)], flagged.tolist()


@pytest.mark.parametrize(
    ("text", "digits"),
    [
        ("4111111111111111", b"4111111111111111"),
        ("4111-1111 1111.1111", b"4111111111111111"),
        ("４１１１－１１１１　１１１１ー１１１１", b"4111111111111111"),
        ("4111\u00a01111\u20101111\u22121111", b"4111111111111111"),
        ("(03)1234-5678", b"0312345678"),
        ("", b""),
        (" - ", b""),
    ],
)
def test_people_write_numbers_in_many_ways(text: str, digits: bytes) -> None:
    """Separators vanish and full-width digits become ASCII, without a flag."""
    assert extract(pa.array([text])) == ([digits], [False])


@given(st.lists(st.none() | TEXTS))
def test_agrees_with_one_text_at_a_time(texts: list[str | None]) -> None:
    """Digits are those of the text; a row is flagged exactly when something else remains."""
    digits, flagged = extract(pa.array(texts, pa.string()))
    for text, found, flag in zip(texts, digits, flagged, strict=True):
        ascii_text = (text or "").translate(FULL_WIDTH)
        assert found.decode() == "".join(each for each in ascii_text if "0" <= each <= "9")
        assert flag == any(each not in SEPARATORS and not "0" <= each <= "9" for each in ascii_text)


def test_a_character_does_not_reach_over_its_row() -> None:
    """The first bytes of a full-width digit at the end of a row do not join the next row, and both are flagged."""
    assert extract(pa.array([b"1\xef\xbc", b"\x911", b"2"], pa.binary())) == ([b"1", b"1", b"2"], [True, True, False])


def test_slices_and_nulls() -> None:
    """A slice gives its own rows; what lies under a null is neither given nor flagged."""
    assert extract(pa.array(["9", "1-2", None, "x", "３"]).slice(1)) == (
        [b"12", b"", b"", b"3"],
        [False, False, True, False],
    )


def test_the_column_is_left_alone() -> None:
    """Turning full-width digits into ASCII does not write into the column."""
    column = pa.array(["１２"])
    extract(column)
    assert column.to_pylist() == ["１２"]
