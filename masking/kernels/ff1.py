"""FF1 format-preserving encryption over matrices of numerals (NIST SP 800-38G, section 5.1, algorithms 7 and 8)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from masking.errors import InvalidValues, StrategyMisused
from masking.kernels.aes import BLOCK, BlockCipher
from masking.kernels.buffers import PIECE_BYTES, PIECE_ROWS, Bytes
from masking.kernels.numerals import Number, Numbers

ROUNDS = 10
MIN_DOMAIN = 1_000_000
"""The least number of values an FF1 domain may have (SP 800-38G Rev. 1)."""

MIN_RADIX, MAX_RADIX = 2, 62

_WORD = 4
_BIG = np.dtype(">u4")


def min_length(radix: int) -> int:
    """Returns the least number of numerals whose domain has MIN_DOMAIN values: 6 digits, 4 alphanumerics of 62."""
    length = 2
    while radix**length < MIN_DOMAIN:
        length += 1
    return length


@dataclass(frozen=True)
class _Shape:
    """What one length fixes: the halves, and the part of the round function's input that no row changes.

    Attributes:
        left: the numbers of the first u = ⌊L/2⌋ numerals.
        right: the numbers of the other v numerals.
        split: u.
        octets: b, bytes of NUM(B) in the round function's input.
        digest: d, bytes of its output that are used.
        blocks: uint32 (4·k), the varying blocks of the input, chained with all blocks before them.
    """

    left: Numbers
    right: Numbers
    split: int
    octets: int
    digest: int
    blocks: npt.NDArray[np.uint32]

    @property
    def words(self) -> int:
        """Returns the 32-bit words that hold b bytes."""
        return -(-self.octets // _WORD)


class FF1:
    """Enciphers rows of numerals into rows of the same length, one to one, under one key, radix and tweak.

    Args:
        key: an AES key of 16, 24 or 32 bytes.
        radix: how many different numerals there are, 2 … 62.
        tweak: public bytes that separate uses of one key, fewer than 2**32.

    Raises:
        KeyUnusable: when the key has another length.
        StrategyMisused: when the radix is out of range.
    """

    def __init__(self, key: bytes, radix: int, tweak: bytes = b"") -> None:
        if not MIN_RADIX <= radix <= MAX_RADIX:
            raise StrategyMisused(
                f"FF1 is offered for {MIN_RADIX} to {MAX_RADIX} numerals, not {radix}.", not_done="Nothing was masked."
            )
        self._cipher = BlockCipher(key)
        self._radix = radix
        self._tweak = tweak
        self._shapes: dict[int, _Shape] = {}

    def encrypt(self, numerals: Bytes) -> Bytes:
        """Enciphers each row: uint8 (n, L) of numerals 0 … radix-1 → uint8 (n, L).

        Raises:
            StrategyMisused: when radix**L is below MIN_DOMAIN.
            InvalidValues: when a numeral is not below the radix.
        """
        return self._transform(numerals, decrypt=False)

    def decrypt(self, numerals: Bytes) -> Bytes:
        """Returns what `encrypt` was given; raises what it raises."""
        return self._transform(numerals, decrypt=True)

    def _transform(self, numerals: Bytes, *, decrypt: bool) -> Bytes:
        count, length = numerals.shape
        shape = self._shape(length)
        if count and int(numerals.max()) >= self._radix:
            outside = int((numerals >= self._radix).any(axis=1).sum())
            raise InvalidValues(
                f"{outside} of {count} rows have numerals outside radix {self._radix}.",
                not_done="No row of them was masked.",
            )
        out = np.empty((count, length), np.uint8)
        step = max(1, min(PIECE_ROWS, PIECE_BYTES // length))
        for start in range(0, count, step):
            piece = np.ascontiguousarray(numerals[start : start + step], np.uint8)
            left, right = shape.left.read(piece[:, : shape.split]), shape.right.read(piece[:, shape.split :])
            left, right = self._backward(shape, left, right) if decrypt else self._forward(shape, left, right)
            result = out[start : start + step]
            shape.left.write(left, result[:, : shape.split])
            shape.right.write(right, result[:, shape.split :])
        return out

    def _forward(self, shape: _Shape, left: Number, right: Number) -> tuple[Number, Number]:
        blocks = self._blocks(shape, left)
        for turn in range(ROUNDS):
            mine, other = (shape.left, shape.right) if turn % 2 == 0 else (shape.right, shape.left)
            mixed = mine.reduce(self._stream(shape, blocks, turn, other.words(right, shape.words)), shape.digest)
            left, right = right, mine.add(left, mixed)
        return left, right

    def _backward(self, shape: _Shape, left: Number, right: Number) -> tuple[Number, Number]:
        blocks = self._blocks(shape, left)
        for turn in reversed(range(ROUNDS)):
            mine, other = (shape.left, shape.right) if turn % 2 == 0 else (shape.right, shape.left)
            mixed = mine.reduce(self._stream(shape, blocks, turn, other.words(left, shape.words)), shape.digest)
            left, right = mine.subtract(right, mixed), left
        return left, right

    def _blocks(self, shape: _Shape, half: Number) -> npt.NDArray[np.uint32]:
        return np.tile(shape.blocks, (len(half[0]), 1))

    def _stream(
        self, shape: _Shape, blocks: npt.NDArray[np.uint32], turn: int, words: list[npt.NDArray[np.uint64]]
    ) -> Bytes:
        """Returns the blocks that begin with the d bytes S of one round (steps 6 i-iii): uint8 (n, 16·k)."""
        fixed = shape.blocks.copy()
        fixed.view(np.uint8)[-shape.octets - 1] ^= turn
        # The round's number stands just before NUM(B): in a word of its own, or in the first one of NUM(B).
        place = -(shape.octets // _WORD) - 1
        blocks[:, place] = fixed[place]
        for j, word in enumerate(words, start=1):
            np.bitwise_xor(word.astype(_BIG).view(np.uint32), fixed[-j], out=blocks[:, -j])
        state = self._cipher.chain(blocks.view(np.uint8))
        if shape.digest <= BLOCK:
            return state
        counters = [np.frombuffer(j.to_bytes(BLOCK, "big"), np.uint8) for j in range(1, -(-shape.digest // BLOCK))]
        return np.concatenate([state, *(self._cipher.encrypt(state ^ counter) for counter in counters)], axis=1)

    def _shape(self, length: int) -> _Shape:
        if length not in self._shapes:
            self._shapes[length] = self._new_shape(length)
        return self._shapes[length]

    def _new_shape(self, length: int) -> _Shape:
        if length < min_length(self._radix):
            raise StrategyMisused(
                f"FF1 over {length} numerals of radix {self._radix} has fewer than {MIN_DOMAIN:,} values.",
                not_done="Nothing was masked.",
            )
        split = length // 2
        # ⌈v·log2(radix)⌉ without a logarithm: the bits of the greatest number of v numerals.
        bits = (self._radix ** (length - split) - 1).bit_length()
        octets = -(-bits // 8)
        digest = 4 * -(-octets // 4) + 4
        head = bytes([1, 2, 1]) + self._radix.to_bytes(3, "big") + bytes([ROUNDS, split % 256])
        head += length.to_bytes(4, "big") + len(self._tweak).to_bytes(4, "big")
        message = head + self._tweak + bytes((-len(self._tweak) - octets - 1) % BLOCK + 1 + octets)
        varying = -(-(octets + 1) // BLOCK) * BLOCK
        fixed, blocks = message[:-varying], np.frombuffer(message[-varying:], np.uint8).copy()
        blocks[:BLOCK] ^= self._cipher.chain(np.frombuffer(fixed, np.uint8).reshape(1, -1))[0]
        left, right = Numbers(self._radix, split), Numbers(self._radix, length - split)
        return _Shape(left, right, split, octets, digest, blocks.view(np.uint32))
