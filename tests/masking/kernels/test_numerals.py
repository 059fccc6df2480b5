"""Whole numbers of any radix over arrays."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from masking.kernels.numerals import Number, Numbers, pack, unpack


@st.composite
def pairs(draw: st.DrawFn) -> tuple[int, int, list[int], list[int]]:
    """Draws a radix, a count of numerals and two lists of numbers below radix**count, the extremes among them."""
    radix, count, size = draw(st.integers(2, 62)), draw(st.integers(1, 60)), draw(st.integers(1, 5))
    below = st.integers(0, radix**count - 1) | st.sampled_from([0, 1, radix**count - 1])
    numbers = st.lists(below, min_size=size, max_size=size)
    return radix, count, draw(numbers), draw(numbers)


def numerals(values: list[int], radix: int, count: int) -> np.ndarray:
    """Writes numbers as rows of numerals with Python's own integers."""
    return np.array([[value // radix**place % radix for place in reversed(range(count))] for value in values], np.uint8)


def written(numbers: Numbers, number: Number, count: int) -> list[list[int]]:
    """Returns the rows of numerals that the kernel writes."""
    out = np.empty((len(number[0]), count), np.uint8)
    numbers.write(number, out)
    return out.tolist()


@given(pairs())
def test_sums_and_differences(case: tuple[int, int, list[int], list[int]]) -> None:
    """Addition and subtraction modulo radix**count agree with Python's integers at any length."""
    radix, count, left, right = case
    numbers, modulus = Numbers(radix, count), radix**count
    a, b = (numbers.read(numerals(values, radix, count)) for values in (left, right))
    sums = [(x + y) % modulus for x, y in zip(left, right, strict=True)]
    differences = [(x - y) % modulus for x, y in zip(left, right, strict=True)]
    assert written(numbers, numbers.add(a, b), count) == numerals(sums, radix, count).tolist()
    assert written(numbers, numbers.subtract(a, b), count) == numerals(differences, radix, count).tolist()


@given(st.integers(2, 62), st.integers(1, 60), st.integers(1, 12), st.data())
def test_remainders_of_long_integers(radix: int, count: int, words: int, data: st.DataObject) -> None:
    """Big-endian integers of any number of 32-bit words are reduced exactly."""
    size = 4 * words
    octets = data.draw(
        st.lists(st.binary(min_size=size, max_size=size) | st.just(b"\xff" * size), min_size=1, max_size=4)
    )
    numbers = Numbers(radix, count)
    padded = b"".join(each.ljust(64, b"x") for each in octets)
    reduced = numbers.reduce(np.frombuffer(padded, np.uint8).reshape(-1, 64), size)
    expected = [int.from_bytes(each, "big") % radix**count for each in octets]
    assert written(numbers, reduced, count) == numerals(expected, radix, count).tolist()


@given(pairs())
def test_words_of_long_numbers(case: tuple[int, int, list[int], list[int]]) -> None:
    """A number's 32-bit words, least first, are those of Python's integer."""
    radix, count, values, _ = case
    words = -(-(radix**count - 1).bit_length() // 32)
    numbers = Numbers(radix, count)
    found = numbers.words(numbers.read(numerals(values, radix, count)), words)
    assert [[int(word[row]) for word in found] for row in range(len(values))] == [
        [value >> 32 * j & 0xFFFFFFFF for j in range(words)] for value in values
    ]


@given(st.integers(2, 62), st.data())
def test_packing_is_exact_up_to_64_bits(radix: int, data: st.DataObject) -> None:
    """Numerals become the number they write, and the number becomes the numerals again."""
    longest = next(count for count in range(1, 65) if radix ** (count + 1) > 1 << 64)
    count = data.draw(st.integers(1, longest))
    values = data.draw(st.lists(st.integers(0, radix**count - 1), min_size=1, max_size=5))
    packed = pack(numerals(values, radix, count), radix)
    assert packed.tolist() == values
    assert unpack(packed, radix, count).tolist() == numerals(values, radix, count).tolist()
