"""AES-SIV over columns."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESSIV
from hypothesis import given
from hypothesis import strategies as st

from masking.errors import KeyUnusable
from masking.kernels.buffers import ByteStrings
from masking.kernels.siv import siv_decrypt, siv_encrypt, siv_tokens

PUBLISHED = json.loads((Path(__file__).parents[2] / "vectors" / "aes_siv.json").read_text())["vectors"]
KEY = bytes(range(64))
KEYS = st.sampled_from([32, 48, 64]).flatmap(lambda n: st.binary(min_size=n, max_size=n))
VALUES = st.lists(st.none() | st.binary(max_size=70), max_size=30)


def view(values: list[bytes | None]) -> ByteStrings:
    """Returns a binary column as the kernels take it."""
    return ByteStrings.from_arrow(pa.array(values, pa.binary()))


def other_siv(key: bytes, value: bytes | None, associated: tuple[bytes, ...]) -> bytes | None:
    """Seals with the cryptography library, one value at a time."""
    return None if value is None else AESSIV(key).encrypt(value, list(associated))


@pytest.mark.parametrize("vector", PUBLISHED, ids=lambda vector: vector["section"])
def test_published_vectors(vector: dict[str, Any]) -> None:
    """The sealed values are those that RFC 5297 prints, and they open."""
    key, plain, sealed = (bytes.fromhex(vector[name]) for name in ("key", "plain", "sealed"))
    associated = tuple(bytes.fromhex(component) for component in vector["associated"])
    assert siv_encrypt(key, view([plain]), associated).to_pylist() == [sealed]
    opened, failed = siv_decrypt(key, view([sealed]), associated)
    assert (opened.to_pylist(), failed.tolist()) == ([plain], [False])


@given(KEYS, VALUES, st.lists(st.binary(max_size=40), max_size=3).map(tuple))
def test_agrees_with_the_library(key: bytes, values: list[bytes | None], associated: tuple[bytes, ...]) -> None:
    """Any values under any key and components are sealed as an independent implementation seals them."""
    assert siv_encrypt(key, view(values), associated).to_pylist() == [other_siv(key, v, associated) for v in values]


@given(KEYS, VALUES, st.binary(max_size=20))
def test_opens_what_it_sealed(key: bytes, values: list[bytes | None], associated: bytes) -> None:
    """Sealing loses nothing: nulls, empty values and lengths come back."""
    opened, failed = siv_decrypt(key, ByteStrings.from_arrow(siv_encrypt(key, view(values), associated)), associated)
    assert opened.to_pylist() == values
    assert not failed.any()


@pytest.mark.parametrize("length", [1, 15, 16, 17, 31, 32, 33, 4096, 70_000])
def test_every_length(length: int) -> None:
    """Lengths around a block's edge, and values of many blocks, are sealed right and open."""
    value = bytes(i % 251 for i in range(length))
    sealed = siv_encrypt(KEY, view([value, value]), b"card")
    assert sealed.to_pylist() == [other_siv(KEY, value, (b"card",))] * 2
    assert siv_decrypt(KEY, ByteStrings.from_arrow(sealed), b"card")[0].to_pylist() == [value] * 2


def test_an_empty_value_is_sealed_to_its_vector() -> None:
    """An empty value gives a vector of 16 bytes that opens for its own domain only."""
    sealed = siv_encrypt(KEY, view([b""]), b"card").to_pylist()
    assert sealed == [other_siv(KEY, b"", (b"card",))]
    assert len(sealed[0]) == 16
    assert siv_decrypt(KEY, view(sealed), b"card")[0].to_pylist() == [b""]
    assert siv_decrypt(KEY, view(sealed), b"member")[1].tolist() == [True]


def test_no_component_differs_from_an_empty_one() -> None:
    """An empty associated component is a component (RFC 5297 section 2.6)."""
    assert siv_encrypt(KEY, view([b"a"]), ()) != siv_encrypt(KEY, view([b"a"]), b"")


@given(VALUES)
def test_tokens_are_the_sealed_bytes_in_text(values: list[bytes | None]) -> None:
    """A token is its prefix and the sealed bytes in lower-case hexadecimal."""
    sealed = siv_encrypt(KEY, view(values), b"card").to_pylist()
    tokens = siv_tokens(KEY, view(values), b"card", b"k12_")
    tokens.validate(full=True)
    assert tokens.to_pylist() == [None if each is None else "k12_" + each.hex() for each in sealed]


@given(st.lists(st.binary(max_size=20), unique=True, max_size=50))
def test_distinct_values_keep_distinct_tokens(values: list[bytes]) -> None:
    """Within a domain no two values share a token, and in another domain no token comes back."""
    tokens = siv_tokens(KEY, view(values), b"card").to_pylist()
    others = siv_tokens(KEY, view(values), b"member").to_pylist()
    assert len({*tokens, *others}) == 2 * len(values)


@given(st.binary(min_size=16, max_size=60), st.data())
def test_a_changed_value_does_not_open(value: bytes, data: st.DataObject) -> None:
    """One changed bit anywhere makes the row fail, gives null for it and leaves its neighbor alone."""
    sealed = bytearray(siv_encrypt(KEY, view([value]), b"card").to_pylist()[0])
    good = bytes(sealed)
    bit = data.draw(st.integers(0, 8 * len(sealed) - 1))
    sealed[bit // 8] ^= 1 << bit % 8
    opened, failed = siv_decrypt(KEY, view([good, bytes(sealed)]), b"card")
    assert opened.to_pylist() == [value, None]
    assert failed.tolist() == [False, True]


def test_rows_too_short_to_be_sealed_fail() -> None:
    """What is shorter than a vector cannot have been sealed; a null row is null, not a failure."""
    opened, failed = siv_decrypt(KEY, view([b"", b"fifteen bytes..", None]), b"card")
    assert opened.to_pylist() == [None, None, None]
    assert failed.tolist() == [True, True, False]


def test_slices_chunks_and_wide_offsets_are_the_same_values() -> None:
    """How Arrow lays a column out does not change its tokens."""
    values = ["a", None, "山田太郎", "", "x" * 100, "a"]
    whole = siv_tokens(KEY, ByteStrings.from_arrow(pa.array(values)), b"name").to_pylist()
    column = pa.array(values)
    layouts = [
        pa.array(["other", *values]).slice(1),
        column.cast(pa.large_string()),
        column.dictionary_encode(),
        pa.chunked_array([values[:2], values[2:]]),
        pa.array([value and value.encode() for value in values], pa.large_binary()),
    ]
    for layout in layouts:
        assert siv_tokens(KEY, ByteStrings.from_arrow(layout), b"name").to_pylist() == whole


def test_a_wrong_key_is_refused() -> None:
    """A key that is not two AES keys is refused."""
    with pytest.raises(KeyUnusable, match="32, 48 or 64 bytes, this one 16"):
        siv_encrypt(bytes(16), view([b"a"]), b"card")
