"""FF1 over matrices of numerals."""

from __future__ import annotations

import json
from functools import reduce
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from hypothesis import given
from hypothesis import strategies as st

from masking.errors import InvalidValues, KeyUnusable, StrategyMisused
from masking.kernels.ff1 import FF1, MIN_DOMAIN, min_length

PUBLISHED = json.loads((Path(__file__).parents[2] / "vectors" / "ff1.json").read_text())["vectors"]
NUMERALS = "0123456789abcdefghijklmnopqrstuvwxyz"
KEY = bytes(range(32))
KEYS = st.sampled_from([16, 24, 32]).flatmap(lambda n: st.binary(min_size=n, max_size=n))


def plain_ff1(key: bytes, radix: int, tweak: bytes, numerals: list[int], *, decrypt: bool = False) -> list[int]:
    """Computes FF1 for one value after SP 800-38G, algorithms 7 and 8, with Python's own integers."""
    n, t = len(numerals), len(tweak)
    u, v = n // 2, n - n // 2
    left, right = numerals[:u], numerals[u:]
    bits = 0
    while 2**bits < radix**v:
        bits += 1
    b = (bits + 7) // 8
    d = 4 * ((b + 3) // 4) + 4
    head = (
        bytes([1, 2, 1]) + radix.to_bytes(3, "big") + bytes([10, u % 256]) + n.to_bytes(4, "big") + t.to_bytes(4, "big")
    )
    for turn in reversed(range(10)) if decrypt else range(10):
        source = left if decrypt else right
        message = tweak + bytes((-t - b - 1) % 16) + bytes([turn]) + number(source, radix).to_bytes(b, "big")
        block = prf(key, head + message)
        stream = block
        for j in range(1, (d + 15) // 16):
            stream += prf(key, xor(block, j.to_bytes(16, "big")))
        y = int.from_bytes(stream[:d], "big")
        m = u if turn % 2 == 0 else v
        if decrypt:
            left, right = numerals_of((number(right, radix) - y) % radix**m, radix, m), left
        else:
            left, right = right, numerals_of((number(left, radix) + y) % radix**m, radix, m)
    return left + right


def prf(key: bytes, message: bytes) -> bytes:
    """Computes the last CBC block under a zero vector (algorithm 6)."""
    return Cipher(algorithms.AES(key), modes.CBC(bytes(16))).encryptor().update(message)[-16:]


def xor(one: bytes, two: bytes) -> bytes:
    """Adds bytes without carry."""
    return bytes(a ^ b for a, b in zip(one, two, strict=True))


def number(numerals: list[int], radix: int) -> int:
    """Reads numerals, most significant first."""
    return reduce(lambda total, each: total * radix + each, numerals, 0)


def numerals_of(value: int, radix: int, count: int) -> list[int]:
    """Writes numerals, most significant first."""
    return [value // radix**place % radix for place in reversed(range(count))]


def matrix(rows: list[list[int]]) -> np.ndarray:
    """Returns rows as the kernel takes them."""
    return np.array(rows, np.uint8)


@st.composite
def cases(draw: st.DrawFn) -> tuple[bytes, int, bytes, list[list[int]]]:
    """Draws a key, a radix, a tweak and rows of one length that FF1 takes."""
    radix = draw(st.integers(2, 62))
    length = draw(st.integers(min_length(radix), 90))
    rows = draw(st.lists(st.lists(st.integers(0, radix - 1), min_size=length, max_size=length), min_size=1, max_size=5))
    return draw(KEYS), radix, draw(st.binary(max_size=40)), rows


@pytest.mark.parametrize("vector", PUBLISHED, ids=lambda vector: vector["section"])
def test_published_vectors(vector: dict[str, Any]) -> None:
    """The results are those of the NIST samples, both ways, in the kernel and in the plain implementation."""
    plain, cipher = ([NUMERALS.index(each) for each in vector[name]] for name in ("plain", "cipher"))
    key, tweak, radix = bytes.fromhex(vector["key"]), bytes.fromhex(vector["tweak"]), vector["radix"]
    assert FF1(key, radix, tweak).encrypt(matrix([plain, plain])).tolist() == [cipher, cipher]
    assert FF1(key, radix, tweak).decrypt(matrix([cipher])).tolist() == [plain]
    assert plain_ff1(key, radix, tweak, plain) == cipher
    assert plain_ff1(key, radix, tweak, cipher, decrypt=True) == plain


@given(cases())
def test_agrees_with_plain_integers(case: tuple[bytes, int, bytes, list[list[int]]]) -> None:
    """Any radix, length, tweak and key gives what plain integers give, both ways."""
    key, radix, tweak, rows = case
    ff1 = FF1(key, radix, tweak)
    assert ff1.encrypt(matrix(rows)).tolist() == [plain_ff1(key, radix, tweak, row) for row in rows]
    assert ff1.decrypt(matrix(rows)).tolist() == [plain_ff1(key, radix, tweak, row, decrypt=True) for row in rows]


@pytest.mark.parametrize("radix", [2, 3, 10, 36, 62])
@pytest.mark.parametrize("tweak", [b"", b"pan", bytes(11), bytes(16), bytes(300)], ids=len)
def test_every_length_round_trips(radix: int, tweak: bytes) -> None:
    """Lengths from the floor over each limit of a word and of a block agree with plain integers and come back."""
    ff1 = FF1(KEY, radix, tweak)
    random = np.random.default_rng(radix)
    for length in {*range(min_length(radix), 45), 64, 65, 100, 128, 255, 256, 300}:
        extremes = [np.zeros(length, np.uint8), np.full(length, radix - 1, np.uint8)]
        rows = np.array([*extremes, random.integers(0, radix, length, np.uint8)])
        masked = ff1.encrypt(rows)
        assert masked[2].tolist() == plain_ff1(KEY, radix, tweak, rows[2].tolist())
        assert np.array_equal(ff1.decrypt(masked), rows)


def test_whole_small_domain_is_a_permutation() -> None:
    """Over all six-digit values no two results meet, so a join on tokens counts what a join on values counts."""
    every = np.arange(1_000_000)
    rows = np.stack([every // 10**place % 10 for place in range(5, -1, -1)], axis=1).astype(np.uint8)
    masked = FF1(KEY, 10, b"domain").encrypt(rows) @ (10 ** np.arange(5, -1, -1))
    assert np.array_equal(np.sort(masked), every)


def test_rows_do_not_depend_on_their_neighbors() -> None:
    """A value has one result, alone or in a column of more than one piece, and views of other memory layouts too."""
    rows = np.random.default_rng(5).integers(0, 10, (40_000, 16), np.uint8)
    masked = FF1(KEY, 10).encrypt(rows)
    assert np.array_equal(FF1(KEY, 10).encrypt(rows[39_999:]), masked[39_999:])
    assert np.array_equal(FF1(KEY, 10).encrypt(np.asfortranarray(rows)[::-3]), masked[::-3])


def test_the_input_is_left_alone() -> None:
    """The caller's matrix may be read-only and is not written to."""
    rows = np.zeros((3, 16), np.uint8)
    rows.flags.writeable = False
    assert FF1(KEY, 10).encrypt(rows).any()


def test_no_rows() -> None:
    """An empty matrix gives an empty matrix."""
    assert FF1(KEY, 10).encrypt(np.empty((0, 16), np.uint8)).shape == (0, 16)


@pytest.mark.parametrize("radix", range(2, 63))
def test_the_domain_floor(radix: int) -> None:
    """The shortest length offered is the first whose domain has a million values; below it FF1 refuses."""
    shortest = min_length(radix)
    assert radix**shortest >= MIN_DOMAIN > radix ** (shortest - 1)
    with pytest.raises(StrategyMisused, match=r"fewer than 1,000,000 values"):
        FF1(KEY, radix).encrypt(np.zeros((1, shortest - 1), np.uint8))


@pytest.mark.parametrize("radix", [-1, 0, 1, 63, 256])
def test_an_impossible_radix_is_refused(radix: int) -> None:
    """Only 2 to 62 numerals are offered."""
    with pytest.raises(StrategyMisused):
        FF1(KEY, radix)


def test_a_wrong_key_is_refused() -> None:
    """A key that is no AES key is refused."""
    with pytest.raises(KeyUnusable):
        FF1(bytes(15), 10)


def test_foreign_numerals_are_counted_not_masked() -> None:
    """A numeral outside the radix would give a value that cannot come back, so such rows are counted and refused."""
    with pytest.raises(InvalidValues, match=r"2 of 3 rows have numerals outside radix 10"):
        FF1(KEY, 10).encrypt(np.array([[0] * 16, [10] * 16, [0] * 15 + [255]], np.uint8))
