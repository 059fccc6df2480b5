"""Replaces a value with a token that only the domain's key can open."""

from __future__ import annotations

from binascii import unhexlify
from typing import ClassVar, Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from masking.kernels.buffers import ByteStrings, Ragged
from masking.kernels.siv import siv_decrypt, siv_tokens
from masking.rows import lost
from masking.strategies.base import Example, KeyedStrategy, MaskContext, Masked

ALGORITHM = "aes_siv"
_KEY_BYTES = 64
_TOKEN = "^k(?P<version>[0-9]{1,9})_(?P<sealed>(?:[0-9a-f]{2}){16,})$"  # noqa: S105 - a shape, no secret


class Tokenize(KeyedStrategy):
    """Replaces a value with `k<version>_<hex>`: AES-SIV (RFC 5297) under the domain's key, bound to the domain's name.

    Equal values get equal tokens within a domain, in every table, whatever their type (see the rule of canonical text);
    different values never share one. Whoever holds the key can turn a token back: the default for identifiers.
    """

    strategy: Literal["tokenize"] = "tokenize"

    reversible: ClassVar[bool] = True
    examples: ClassVar[tuple[Example, ...]] = (
        Example((("42", "k1_0d63cdb023b90975c8edbc08ff056d024bf2"), (None, None)), {"domain": "member"}),
        Example(((42, "k1_0d63cdb023b90975c8edbc08ff056d024bf2"),), {"domain": "member"}, pa.int64()),
        Example(
            (
                ("090-1234-5678", "k1_7870f08504cc6dc65861b69d0ea8f5d858f2467dc723e217540020"),
                ("+81 90 1234 5678", "k1_7870f08504cc6dc65861b69d0ea8f5d858f2467dc723e217540020"),
            ),
            {"domain": "phone", "normalize": ["jp_phone"]},
        ),
    )

    def token_pattern(self) -> str | None:
        """Returns the shape of a token: its key version, 16 bytes of SIV and the encrypted text, in hexadecimal."""
        return "^k[0-9]+_(?:[0-9a-f]{2}){16,}$"

    def key_uses(self) -> tuple[tuple[str, str], ...]:
        """Returns the domain under AES-SIV."""
        return ((self.domain, ALGORITHM),)

    def _apply(self, column: pa.Array, given: MaskContext) -> Masked:
        texts, unread = self._texts(column)
        key = given.keys.subkey(self.domain, ALGORITHM, _KEY_BYTES)
        prefix = f"k{given.keys.primary}_".encode()
        return Masked(siv_tokens(key, ByteStrings.from_arrow(texts), self.domain.encode(), prefix), unread)

    def _revert(self, tokens: pa.Array, given: MaskContext, version: int | None) -> Masked:
        del version  # every token names its own
        parts = pc.extract_regex(tokens, _TOKEN)
        versions = pc.struct_field(parts, [0])
        values = pa.nulls(len(tokens), pa.binary())
        for name in pc.unique(versions.drop_null()).to_pylist():
            key = given.keys.subkey_for_reading(self.domain, ALGORITHM, _KEY_BYTES, int(name))
            sealed = pc.if_else(pc.equal(versions, name), pc.struct_field(parts, [1]), pa.scalar(None, pa.string()))
            opened, _ = siv_decrypt(key, _unhex(ByteStrings.from_arrow(sealed)), self.domain.encode())
            values = pc.coalesce(values, opened)
        return Masked(values, lost(tokens, values))


def _unhex(texts: ByteStrings) -> ByteStrings:
    """Returns the bytes that each row spells in hexadecimal."""
    spelled = Ragged(texts.lengths // 2, texts.valid)
    for rows, matrix in texts.groups():
        spelled.place(rows, np.frombuffer(unhexlify(matrix.tobytes()), np.uint8).reshape(len(rows), -1))
    return spelled.byte_strings()
