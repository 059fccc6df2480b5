"""AES-CMAC over columns."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from cryptography.hazmat.primitives.ciphers import algorithms
from cryptography.hazmat.primitives.cmac import CMAC
from hypothesis import given
from hypothesis import strategies as st

from masking.errors import KeyUnusable
from masking.kernels.buffers import ByteStrings
from masking.kernels.cmac import cmac

PUBLISHED = json.loads((Path(__file__).parents[2] / "vectors" / "aes_cmac.json").read_text())["vectors"]
KEY = bytes(range(32))


def other_cmac(key: bytes, message: bytes) -> bytes:
    """Computes the tag with the cryptography library, one message at a time."""
    mac = CMAC(algorithms.AES(key))
    mac.update(message)
    return mac.finalize()


def tags(key: bytes, values: list[bytes | None]) -> list[bytes]:
    """Computes the tags of a list with the kernel."""
    return [tag.tobytes() for tag in cmac(key, ByteStrings.from_arrow(pa.array(values, pa.binary())))]


@pytest.mark.parametrize("vector", PUBLISHED, ids=lambda vector: vector["section"])
def test_published_vectors(vector: dict[str, str]) -> None:
    """The tags are those that RFC 4493 and SP 800-38B print."""
    message = bytes.fromhex(vector["message"])
    assert tags(bytes.fromhex(vector["key"]), [message, message]) == [bytes.fromhex(vector["tag"])] * 2


@given(
    st.sampled_from([16, 24, 32]).flatmap(lambda n: st.binary(min_size=n, max_size=n)), st.lists(st.binary(max_size=70))
)
def test_agrees_with_the_library(key: bytes, values: list[bytes]) -> None:
    """Any values under any key get the tags of an independent implementation."""
    assert tags(key, values) == [other_cmac(key, value) for value in values]


@pytest.mark.parametrize("length", [0, 1, 15, 16, 17, 31, 32, 33, 4095, 4096, 4097, 70_000])
def test_every_length(length: int) -> None:
    """Lengths around a block's edge, and long values that are chained one by one, get the right tag."""
    value = bytes(i % 251 for i in range(length))
    few, many = [value], [value] * 300 if length < 5000 else [value] * 2
    assert tags(KEY, few) == [other_cmac(KEY, value)]
    assert set(tags(KEY, many)) == {other_cmac(KEY, value)}


def test_nulls_have_zero_tags() -> None:
    """A null row gets zeros, never what lies in memory, and does not move its neighbors."""
    assert tags(KEY, [b"a", None, b"b"]) == [other_cmac(KEY, b"a"), bytes(16), other_cmac(KEY, b"b")]


def test_no_rows() -> None:
    """An empty column gives an empty matrix."""
    assert cmac(KEY, ByteStrings.from_arrow(pa.array([], pa.string()))).shape == (0, 16)


def test_a_wrong_key_is_refused() -> None:
    """A key of another length is refused, and the error does not show it."""
    with pytest.raises(KeyUnusable) as refused:
        cmac(b"secret key", ByteStrings.from_arrow(pa.array(["a"])))
    assert "secret" not in str(refused.value)
    assert np.array_equal(refused.value.args, ["An AES key has 16, 24 or 32 bytes, this one 10."])
