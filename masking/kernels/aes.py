"""AES over matrices: one library call enciphers a block of every row."""

from __future__ import annotations

import numpy as np
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from masking.errors import KeyUnusable
from masking.kernels.buffers import Bytes

BLOCK = 16
_KEY_LENGTHS = (16, 24, 32)


class BlockCipher:
    """AES in ECB mode as the raw block function for the modes of this package; for one thread at a time.

    Args:
        key: 16, 24 or 32 bytes.

    Raises:
        KeyUnusable: when the key has another length.
    """

    __slots__ = ("_algorithm", "_encryptor")

    def __init__(self, key: bytes) -> None:
        if len(key) not in _KEY_LENGTHS:
            raise KeyUnusable(
                f"An AES key has 16, 24 or 32 bytes, this one {len(key)}.", not_done="Nothing was masked."
            )
        self._algorithm = algorithms.AES(key)
        # Every row is a block of its own here; the modes built on top bring the chaining that plain ECB lacks.
        self._encryptor = Cipher(self._algorithm, modes.ECB()).encryptor()  # noqa: S305  the raw block function is wanted

    def encrypt(self, blocks: Bytes) -> Bytes:
        """Enciphers each row: uint8 (n, 16) → uint8 (n, 16)."""
        count = blocks.size
        # The library asks for room of one block less a byte beyond the result.
        room = np.empty(count + BLOCK - 1, np.uint8)
        if count:
            self._encryptor.update_into(np.ascontiguousarray(blocks).reshape(-1).data, room.data)
        return room[:count].reshape(-1, BLOCK)

    def chain(self, matrix: Bytes) -> Bytes:
        """Returns the last CBC block of each row under a zero vector: uint8 (n, 16·k), k ≥ 1 → uint8 (n, 16)."""
        count, blocks = len(matrix), matrix.shape[1] // BLOCK
        if count < blocks:
            # Few long rows: the chain of one row in one call is quicker than one call a block.
            return np.array([self._chain_one(row) for row in matrix], np.uint8).reshape(count, BLOCK)
        state = self.encrypt(matrix[:, :BLOCK])
        for first in range(BLOCK, matrix.shape[1], BLOCK):
            state = self.encrypt(state ^ matrix[:, first : first + BLOCK])
        return state

    def _chain_one(self, row: Bytes) -> Bytes:
        encryptor = Cipher(self._algorithm, modes.CBC(bytes(BLOCK))).encryptor()
        return np.frombuffer(encryptor.update(np.ascontiguousarray(row).data)[-BLOCK:], np.uint8)
