"""HMAC-SHA-256 over columns."""

from __future__ import annotations

import hmac
import json
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from masking.kernels.buffers import ByteStrings
from masking.kernels.hmac import hmac_sha256

PUBLISHED = json.loads((Path(__file__).parents[2] / "vectors" / "hmac_sha256.json").read_text())["vectors"]


def tags(key: bytes, values: list[bytes | None]) -> list[bytes]:
    """Computes the tags of a list with the kernel."""
    return [tag.tobytes() for tag in hmac_sha256(key, ByteStrings.from_arrow(pa.array(values, pa.binary())))]


@pytest.mark.parametrize("vector", PUBLISHED, ids=lambda vector: vector["section"])
def test_published_vectors(vector: dict[str, str]) -> None:
    """The tags are those that RFC 4231 prints, as far as it prints them."""
    key, message, tag = (bytes.fromhex(vector[name]) for name in ("key", "message", "tag"))
    assert tags(key, [message])[0][: len(tag)] == tag


@given(st.binary(max_size=100), st.lists(st.none() | st.binary(max_size=100)))
def test_agrees_with_the_standard_library(key: bytes, values: list[bytes | None]) -> None:
    """Any values under any key get the tags of an independent implementation; nulls get zeros."""
    assert tags(key, values) == [bytes(32) if v is None else hmac.digest(key, v, "sha256") for v in values]


def test_no_rows() -> None:
    """An empty column gives an empty matrix."""
    assert hmac_sha256(b"key", ByteStrings.from_arrow(pa.array([], pa.string()))).shape == (0, 32)
