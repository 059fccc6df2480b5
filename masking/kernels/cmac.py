"""AES-CMAC over columns (RFC 4493, NIST SP 800-38B)."""

from __future__ import annotations

import numpy as np

from masking.kernels.aes import BLOCK, BlockCipher
from masking.kernels.buffers import Bytes, ByteStrings, copy_rows

_REDUCTION = 0x87
_BLOCK_BITS = 8 * BLOCK


def cmac(key: bytes, strings: ByteStrings) -> Bytes:
    """Returns the 16-byte tag of each row: uint8 (n, 16); rows that are null get zeros.

    Raises:
        KeyUnusable: when the key is none of AES's lengths.
    """
    mac = Cmac(BlockCipher(key))
    tags = np.zeros((len(strings), BLOCK), np.uint8)
    for rows, matrix in strings.groups():
        tags[rows] = mac.tags(matrix)
    return tags


class Cmac:
    """CMAC of matrices whose rows have one length, under one key."""

    __slots__ = ("_cipher", "_subkeys")

    def __init__(self, cipher: BlockCipher) -> None:
        self._cipher = cipher
        first = double(cipher.encrypt(np.zeros((1, BLOCK), np.uint8)).tobytes())
        self._subkeys = (first, double(first))

    def tags(self, matrix: Bytes) -> Bytes:
        """Returns the tag of each row: uint8 (m, L), L ≥ 0 → uint8 (m, 16)."""
        return self.tags_under(matrix, b"")

    def tags_under(self, matrix: Bytes, end_mask: bytes) -> Bytes:
        """Returns the tags of the rows after `end_mask` was XORed onto their last bytes (RFC 5297's xorend).

        Args:
            matrix: uint8 (m, L).
            end_mask: at most L bytes.
        """
        length = matrix.shape[1]
        width = max(BLOCK, -(-length // BLOCK) * BLOCK)
        mask = bytearray(width)
        mask[length - len(end_mask) : length] = end_mask
        if length < width:
            mask[length] = 0x80
        subkey = self._subkeys[length < width]
        mask[-BLOCK:] = (a ^ b for a, b in zip(mask[-BLOCK:], subkey, strict=True))
        if length == width == BLOCK:
            return self._cipher.encrypt(matrix ^ np.frombuffer(mask, np.uint8))
        padded = np.zeros((len(matrix), width), np.uint8)
        copy_rows(matrix, padded[:, :length])
        # Only the last two blocks can differ from the message.
        padded[:, -2 * BLOCK :] ^= np.frombuffer(mask, np.uint8)[-2 * BLOCK :]
        return self._cipher.chain(padded)


def double(block: bytes) -> bytes:
    """Doubles a block in GF(2^128) (RFC 4493 section 2.3, RFC 5297 section 2.3)."""
    doubled = int.from_bytes(block, "big") << 1
    if doubled >> _BLOCK_BITS:
        doubled = (doubled ^ _REDUCTION) & ((1 << _BLOCK_BITS) - 1)
    return doubled.to_bytes(BLOCK, "big")
