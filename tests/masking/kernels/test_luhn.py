"""The Luhn check over matrices of digits."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from masking.kernels.luhn import check_digit, luhn_sum

CARDS = [
    "4111111111111111",
    "5555555555554444",
    "3530111333300000",
    "378282246310005",
    "30569309025904",
    "6200000000000005",
]
ROWS = st.integers(1, 25).flatmap(
    lambda length: st.lists(st.lists(st.integers(0, 9), min_size=length, max_size=length), min_size=1, max_size=20)
)


def plain_luhn(digits: list[int]) -> int:
    """Sums one number after ISO/IEC 7812-1 annex B."""
    return sum(sum(divmod(d * 2, 10)) if place % 2 else d for place, d in enumerate(reversed(digits))) % 10


@pytest.mark.parametrize("card", CARDS)
def test_known_cards_are_valid(card: str) -> None:
    """The brands' published test numbers have sum zero, and their last digit is the check digit of the others."""
    digits = np.array([[int(each) for each in card]], np.uint8)
    assert luhn_sum(digits).tolist() == [0]
    assert check_digit(digits[:, :-1]).tolist() == [int(card[-1])]


@given(ROWS)
def test_agrees_with_one_number_at_a_time(rows: list[list[int]]) -> None:
    """Sums of any digits are those of the plain rule, also for lengths that could overflow a byte."""
    assert luhn_sum(np.array(rows, np.uint8)).tolist() == [plain_luhn(row) for row in rows]


@given(ROWS)
def test_exactly_one_check_digit_is_valid(rows: list[list[int]]) -> None:
    """Of the ten digits that can follow a payload only the check digit gives sum zero."""
    payload = np.array(rows, np.uint8)
    valid = [luhn_sum(np.insert(payload, payload.shape[1], digit, axis=1)) == 0 for digit in range(10)]
    assert np.array_equal(np.argmax(valid, axis=0), check_digit(payload))
    assert (np.sum(valid, axis=0) == 1).all()


def test_a_long_row_of_nines() -> None:
    """The running sum stays exact in a byte however long the row is."""
    assert luhn_sum(np.full((1, 1000), 9, np.uint8)).tolist() == [plain_luhn([9] * 1000)]
