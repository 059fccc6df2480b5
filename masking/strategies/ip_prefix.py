"""Publishes the network of an IP address."""

from __future__ import annotations

from ipaddress import IPv4Interface, IPv4Network, IPv6Interface, IPv6Network, ip_interface
from socket import AF_INET6, inet_ntop, inet_pton  # text to bytes and back; nothing is connected
from typing import ClassVar, Final, Literal

import pyarrow as pa
import pyarrow.compute as pc
from pydantic import Field

from masking.rows import lost
from masking.strategies.base import Example, FallibleStrategy, MaskContext, Masked
from masking.text_types import is_text

_OCTET: Final = "(?:25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])"
_IPV6_BYTES: Final = 16
_PLAIN_IPV4: Final = f"^(?:{_OCTET}\\.){{3}}{_OCTET}(?:/32)?$"


class IpPrefix(FallibleStrategy):
    """Publishes the network an IP address belongs to, never finer than /24 and /48.

    An IPv4 address in IPv6 clothes (`::ffff:203.0.113.7`) counts as IPv4. What is no address is invalid.
    """

    strategy: Literal["ip_prefix"] = "ip_prefix"
    v4: int = Field(default=24, ge=8, le=24, description="Bits of an IPv4 address that stay.")
    v6: int = Field(default=48, ge=16, le=48, description="Bits of an IPv6 address that stay.")

    examples: ClassVar[tuple[Example, ...]] = (
        Example((("203.0.113.77", "203.0.113.0/24"), ("2001:db8:12:34::1", "2001:db8:12::/48"), (None, None))),
    )

    def output_type(self, source: pa.DataType) -> pa.DataType:
        """Returns text; takes text."""
        if not (is_text(source) or pa.types.is_null(source)):
            raise self._misused(source, "text")
        return pa.string()

    def token_pattern(self) -> str | None:
        """Returns an IPv4 or IPv6 network."""
        return "^[0-9a-f.:]+/[0-9]{1,2}$"

    def _apply(self, column: pa.Array, given: MaskContext) -> Masked:
        del given
        distinct = column.dictionary_encode()
        networks = self._networks(distinct.dictionary.cast(pa.string()))
        values = networks.take(distinct.indices)
        return Masked(values, lost(column, values))

    def _networks(self, texts: pa.Array) -> pa.Array:
        """Returns the networks of distinct texts; whole octets of plain IPv4 are cut off by one expression for all."""
        kept, rest = divmod(self.v4, 8)
        if rest:
            return self._read(texts)
        plain = pc.match_substring_regex(texts, _PLAIN_IPV4)
        network = f"\\1{'.'.join('0' * (4 - kept))}/{self.v4}"
        cut = pc.replace_substring_regex(texts, f"^((?:[0-9]+\\.){{{kept}}}).*$", network)
        others = pc.invert(plain)
        return pc.replace_with_mask(cut, others, self._read(texts.filter(others)))

    def _read(self, texts: pa.Array) -> pa.Array:
        ipv6 = _Ipv6Networks(self.v6).network
        return pa.array([ipv6(text) or self._any_network(text) for text in texts.to_pylist()], pa.string())

    def _any_network(self, text: str) -> str | None:
        try:
            address: IPv4Interface | IPv6Interface = ip_interface(text.strip())
        except ValueError:
            return None
        if isinstance(address, IPv6Interface):
            if address.ip.ipv4_mapped is None:
                return str(IPv6Network((int(address.ip), min(self.v6, address.network.prefixlen)), strict=False))
            address = IPv4Interface(address.ip.ipv4_mapped)
        return str(IPv4Network((int(address.ip), min(self.v4, address.network.prefixlen)), strict=False))


class _Ipv6Networks:
    """Networks of plain IPv6 addresses, many times faster than `ipaddress`: each network is written once."""

    def __init__(self, bits: int) -> None:
        self._bits = bits
        self._octets = -(-bits // 8)
        self._written: dict[bytes, str | None] = {bytes(self._octets): None}  # `::1`, `::ffff:203.0.113.7` and the like

    def network(self, text: str) -> str | None:
        """Returns the network of an address; None where `ipaddress` must decide."""
        try:
            kept = inet_pton(AF_INET6, text.removesuffix("/128"))[: self._octets]
        except (OSError, ValueError):
            return None
        if kept not in self._written:
            network = int.from_bytes(kept.ljust(_IPV6_BYTES, bytes(1))) >> (128 - self._bits) << (128 - self._bits)
            self._written[kept] = f"{inet_ntop(AF_INET6, network.to_bytes(_IPV6_BYTES))}/{self._bits}"
        return self._written[kept]
