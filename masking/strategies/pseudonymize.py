"""Replaces a value with a keyed hash that nobody can turn back."""

from __future__ import annotations

from typing import ClassVar, Literal

import pyarrow as pa
from pydantic import Field

from masking.kernels.buffers import ByteStrings, hex_strings
from masking.kernels.cmac import cmac
from masking.kernels.hmac import hmac_sha256
from masking.strategies.base import Example, KeyedStrategy, MaskContext, Masked

_KEY_BYTES = 32
_HEX_DIGITS = {"cmac": 32, "hmac_sha256": 64}


class Pseudonymize(KeyedStrategy):
    """Replaces a value with `k<version>_<hex>`: a keyed hash under the domain's key, for what nobody needs back.

    Equal values get equal pseudonyms within a domain, in every table. AES-256-CMAC (NIST SP 800-38B) is the fast
    default; HMAC-SHA-256 (RFC 2104) is there for whoever must name that hash.
    """

    strategy: Literal["pseudonymize"] = "pseudonymize"
    algorithm: Literal["cmac", "hmac_sha256"] = Field(default="cmac", description="The keyed hash.")

    examples: ClassVar[tuple[Example, ...]] = (
        Example((("42", "k1_630e1dc4293285f7a2736b1e20dbc131"), (None, None)), {"domain": "member"}),
        Example(
            (("42", "k1_683de811c3078b3922399a02c04b9ba4895c35ed92d62e59b154b45acd1ffb67"),),
            {"domain": "member", "algorithm": "hmac_sha256"},
        ),
    )

    def token_pattern(self) -> str | None:
        """Returns the shape of a pseudonym: its key version and the hash in hexadecimal."""
        return f"^k[0-9]+_[0-9a-f]{{{_HEX_DIGITS[self.algorithm]}}}$"

    def key_uses(self) -> tuple[tuple[str, str], ...]:
        """Returns the domain under the keyed hash."""
        return ((self.domain, self.algorithm),)

    def _apply(self, column: pa.Array, given: MaskContext) -> Masked:
        texts, unread = self._texts(column)
        key = given.keys.subkey(self.domain, self.algorithm, _KEY_BYTES)
        prefix = f"k{given.keys.primary}_".encode()
        if self.algorithm == "cmac":
            strings = ByteStrings.from_arrow(texts)
            return Masked(hex_strings(cmac(key, strings), prefix, strings.valid), unread)
        distinct = texts.dictionary_encode()
        strings = ByteStrings.from_arrow(distinct.dictionary)
        return Masked(hex_strings(hmac_sha256(key, strings), prefix).take(distinct.indices), unread)
