"""IPv4 addresses are told from all other text, and cut to their networks, as the standard library does."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv4Network

import pyarrow as pa
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from masking.kernels.buffers import ByteStrings
from masking.kernels.ipv4 import ipv4_networks

ADDRESSES = st.ip_addresses(v=4).map(str)
ALMOST = st.lists(st.sampled_from([".", "0", "1", "25", "255", "256", "/32", "/3", "a", " ", ":"]), max_size=9).map(
    "".join
)


def expected(text: str | None, octets: int) -> str | None:
    """The library's network of an address, and nothing of any other text."""
    try:
        address = IPv4Address((text or "").removesuffix("/32"))
    except ValueError:
        return None
    return str(IPv4Network((int(address), 8 * octets), strict=False))


@pytest.mark.parametrize("octets", [1, 2, 3])
@given(texts=st.lists(st.none() | ADDRESSES | ADDRESSES.map(lambda text: f"{text}/32") | ALMOST, max_size=20))
@example(texts=["1.2.3.4", "01.2.3.4", "1.2.3.04", "1.2.3.256", "1.2.3", "1.2.3.4.5", "1..3.4", ".1.2.3", "1.2.3."])
@example(
    texts=["", "/32", "1.2.3.4/32", "1.2.3.4/32/32", "1.2.3.4/24", "1.2.3.4 ", "1000.2.3.4", "１.2.3.4", "...", None]
)
@example(texts=[None, "0.0.0.0", "255.255.255.255"])  # noqa: S104  no interface is bound
def test_agrees_with_the_library(octets: int, texts: list[str | None]) -> None:
    """A row is an address exactly where `ipaddress` takes it for one, and its network is the same."""
    for column in (pa.array(texts, pa.string()), pa.array(["9.9.9.9", *texts], pa.string()).slice(1)):
        networks, plain = ipv4_networks(ByteStrings.from_arrow(column), octets)
        assert networks.strings().to_pylist() == [expected(text, octets) for text in texts]
        assert plain.tolist() == [expected(text, octets) is not None for text in texts]
