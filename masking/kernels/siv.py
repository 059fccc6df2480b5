"""AES-SIV over columns (RFC 5297): deterministic, reversible, authenticated; equal rows give equal tokens."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from masking.errors import KeyUnusable
from masking.kernels.aes import BLOCK, BlockCipher
from masking.kernels.buffers import Bytes, ByteStrings, Flags, Ragged, copy_rows, hexadecimal
from masking.kernels.cmac import Cmac, double

KEY_LENGTHS = (32, 48, 64)


def siv_encrypt(key: bytes, strings: ByteStrings, associated: bytes | tuple[bytes, ...]) -> pa.BinaryArray:
    """Seals each row: the synthetic vector V (16 bytes), then the ciphertext, as long as the row; null rows stay null.

    Args:
        key: 32, 48 or 64 bytes, MAC half first.
        strings: the rows, of any length, empty ones too.
        associated: what the rows are bound to: one component, or a tuple of them (RFC 5297 section 2.6).

    Raises:
        KeyUnusable: when the key has another length.
    """
    siv = Siv(key, associated)
    sealed = Ragged(strings.lengths + BLOCK, strings.valid)
    for rows, matrix in strings.groups():
        sealed.place(rows, siv.seal(matrix))
    return sealed.binary()


def siv_tokens(
    key: bytes, strings: ByteStrings, associated: bytes | tuple[bytes, ...], prefix: bytes = b"k1_"
) -> pa.StringArray:
    """Returns `prefix` and the sealed row in lower-case hexadecimal, as `siv_encrypt` would seal it."""
    siv = Siv(key, associated)
    tokens = Ragged(2 * (strings.lengths + BLOCK) + len(prefix), strings.valid)
    for rows, matrix in strings.groups():
        tokens.place(rows, hexadecimal(siv.seal(matrix), prefix))
    return tokens.strings()


def siv_decrypt(
    key: bytes, strings: ByteStrings, associated: bytes | tuple[bytes, ...]
) -> tuple[pa.BinaryArray, Flags]:
    """Opens sealed rows and says which are not what this key sealed for these associated bytes.

    Returns:
        The plain rows, null where the row was null or did not open; and bool (n), True where a row did not open.
    """
    siv = Siv(key, associated)
    present = np.ones(len(strings), np.bool_) if strings.valid is None else strings.valid
    failed = present & (strings.lengths < BLOCK)
    plain = Ragged(np.maximum(strings.lengths - BLOCK, 0), present)
    for rows, matrix in strings.groups():
        if matrix.shape[1] >= BLOCK:
            opened, failed[rows] = siv.open(matrix)
            plain.place(rows, opened)
    column = plain.binary()
    return pa.Array.from_buffers(
        pa.binary(),
        len(strings),
        [pa.py_buffer(np.packbits(present & ~failed, bitorder="little")), *column.buffers()[1:]],
    ), failed


class Siv:
    """AES-SIV of matrices whose rows have one length, under one key and one list of associated components."""

    __slots__ = ("_cipher", "_doubled", "_mac", "_state")

    def __init__(self, key: bytes, associated: bytes | tuple[bytes, ...]) -> None:
        if len(key) not in KEY_LENGTHS:
            raise KeyUnusable(
                f"An AES-SIV key has 32, 48 or 64 bytes, this one {len(key)}.", not_done="Nothing was masked."
            )
        half = len(key) // 2
        self._mac, self._cipher = Cmac(BlockCipher(key[:half])), BlockCipher(key[half:])
        # S2V over what all rows share (RFC 5297 section 2.4); the row itself is its last component.
        state = self._tag(bytes(BLOCK))
        for component in (associated,) if isinstance(associated, bytes) else associated:
            state = _xor(double(state), self._tag(component))
        self._state, self._doubled = state, double(state)

    def seal(self, matrix: Bytes) -> Bytes:
        """Returns V and ciphertext of each row: uint8 (m, L) → uint8 (m, 16 + L)."""
        sealed = np.empty((len(matrix), BLOCK + matrix.shape[1]), np.uint8)
        vectors = self._vectors(matrix)
        copy_rows(vectors, sealed[:, :BLOCK])
        copy_rows(matrix ^ self._key_stream(vectors, matrix.shape[1]), sealed[:, BLOCK:])
        return sealed

    def open(self, sealed: Bytes) -> tuple[Bytes, Flags]:
        """Returns the plain rows, and True for each whose proof fails; its bytes are then zeros.

        Args:
            sealed: uint8 (m, 16 + L); the plain rows are uint8 (m, L).
        """
        vectors = sealed[:, :BLOCK]
        plain = sealed[:, BLOCK:] ^ self._key_stream(vectors, sealed.shape[1] - BLOCK)
        failed = (self._vectors(plain) != vectors).any(axis=1)
        plain[failed] = 0
        return plain, failed

    def _vectors(self, matrix: Bytes) -> Bytes:
        length = matrix.shape[1]
        if length >= BLOCK:
            return self._mac.tags_under(matrix, self._state)
        # A short row is padded to a block before it meets the doubled state, so the MAC sees exactly one full block.
        block = np.zeros((len(matrix), BLOCK), np.uint8)
        copy_rows(matrix, block[:, :length])
        block[:, length] = 0x80
        return self._mac.tags_under(block, self._doubled)

    def _key_stream(self, vectors: Bytes, length: int) -> Bytes:
        blocks = -(-length // BLOCK)
        counters = np.repeat(vectors, blocks, axis=0) if blocks != 1 else vectors.copy()
        counters[:, 8] &= 0x7F
        counters[:, 12] &= 0x7F
        if blocks > 1:
            # With its top bit cleared the last word counts 2^31 blocks without a carry.
            last = np.ascontiguousarray(counters).view(">u4").reshape(len(vectors), blocks, 4)[:, :, 3]
            last += np.arange(blocks, dtype=np.uint32)
        return self._cipher.encrypt(counters).reshape(len(vectors), blocks * BLOCK)[:, :length]

    def _tag(self, component: bytes) -> bytes:
        return self._mac.tags(np.frombuffer(component, np.uint8).reshape(1, -1)).tobytes()


def _xor(left: bytes, right: bytes) -> bytes:
    return bytes(a ^ b for a, b in zip(left, right, strict=True))
