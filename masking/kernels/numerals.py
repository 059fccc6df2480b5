"""Whole numbers of any radix, for all rows at once: numerals ↔ numbers, and arithmetic modulo radix**count.

A number is a tuple of *places*, least first: uint64 arrays that hold less than 2**32 each, so that every product and
every long division stays exact in 64 bits however long the number is.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from masking.kernels.buffers import Bytes, copy_rows

Words = npt.NDArray[np.uint64]
Number = tuple[Words, ...]

WORD_BITS = 32
_WORD_MASK = np.uint64((1 << WORD_BITS) - 1)
_SHIFT = np.uint64(WORD_BITS)
_EIGHT = 8


class Numbers:
    """The numbers of `count` numerals in one radix, that is the integers modulo radix**count.

    Args:
        radix: 2 … 255.
        count: numerals of each number, at least 1.
    """

    __slots__ = ("_counts", "_moduli", "_radix")

    def __init__(self, radix: int, count: int) -> None:
        widest = 1
        while radix ** (widest + 1) <= 1 << WORD_BITS:
            widest += 1
        full, rest = divmod(count, widest)
        self._radix = radix
        self._counts = [widest] * full + [rest] * (rest > 0)
        self._moduli = [np.uint64(radix**numerals) for numerals in self._counts]

    def read(self, numerals: Bytes) -> Number:
        """Reads rows of numerals, most significant first: uint8 (n, count)."""
        places, end = [], numerals.shape[1]
        for count in self._counts:
            places.append(pack(numerals[:, end - count : end], self._radix))
            end -= count
        return tuple(places)

    def write(self, number: Number, out: Bytes) -> None:
        """Writes rows of numerals, most significant first, into uint8 (n, count)."""
        end = out.shape[1]
        for place, count in zip(number, self._counts, strict=True):
            copy_rows(unpack(place, self._radix, count), out[:, end - count : end])
            end -= count

    def add(self, left: Number, right: Number) -> Number:
        """Returns left + right modulo radix**count."""
        total, carry = [], None
        for a, b, modulus in zip(left, right, self._moduli, strict=True):
            raw = a + b if carry is None else a + b + carry
            # Below the modulus the subtraction wraps around to something large, so the smaller one is the remainder.
            place = np.minimum(raw, raw - modulus)
            carry = (raw != place).astype(np.uint64) if len(self._moduli) > 1 else None
            total.append(place)
        return tuple(total)

    def subtract(self, left: Number, right: Number) -> Number:
        """Returns left - right modulo radix**count."""
        total, borrow = [], None
        for a, b, modulus in zip(left, right, self._moduli, strict=True):
            raw = a - b if borrow is None else a - b - borrow
            # A negative difference wraps around to something large; adding the modulus brings it back.
            place = np.minimum(raw, raw + modulus)
            borrow = (raw != place).astype(np.uint64) if len(self._moduli) > 1 else None
            total.append(place)
        return tuple(total)

    def reduce(self, octets: Bytes, width: int) -> Number:
        """Reads the first `width` bytes of each row as a big-endian integer and reduces it modulo radix**count.

        Args:
            octets: uint8 (n, 8·k), contiguous.
            width: a multiple of 4, at most 8·k.
        """
        if len(self._moduli) == 1 and width == _EIGHT:
            value = octets.view(np.dtype(">u8"))[:, 0].astype(np.uint64)
            return (_remainder(value, self._moduli[0])[1],)
        words = octets.view(np.dtype(">u4"))
        digits: list[Words] = [words[:, j].astype(np.uint64) for j in range(width // 4)]
        places = []
        for modulus in self._moduli:
            rest = np.zeros(len(octets), np.uint64)
            for j, digit in enumerate(digits):
                digits[j], rest = _remainder(rest << _SHIFT | digit, modulus)
            places.append(rest)
        return tuple(places)

    def words(self, number: Number, count: int) -> list[Words]:
        """Returns the number's `count` 32-bit words, least first; uint64 arrays, big enough by the caller's word."""
        if count == 1:
            return [number[0]]
        words = [np.zeros_like(number[0]) for _ in range(count)]
        for place, modulus in zip(reversed(number), reversed(self._moduli), strict=True):
            carry = place
            for j, word in enumerate(words):
                product = word * modulus + carry
                words[j], carry = product & _WORD_MASK, product >> _SHIFT
        return words


def pack(numerals: Bytes, radix: int) -> Words:
    """Reads numerals, most significant first, as numbers below 2**64: uint8 (n, count) → uint64 (n)."""
    groups = -(-numerals.shape[1] // _EIGHT)
    padded = np.zeros((len(numerals), groups * _EIGHT), np.uint8)
    copy_rows(numerals, padded[:, padded.shape[1] - numerals.shape[1] :])
    # Eight numerals are one little-endian word; neighbors merge in pairs, then fours, then all eight.
    lanes = padded.view(np.dtype("<u8")).astype(np.uint64, copy=False)
    for width, mask in ((8, 0x00FF00FF00FF00FF), (16, 0x0000FFFF0000FFFF), (32, 0x00000000FFFFFFFF)):
        weight = np.uint64(radix ** (width // 8))
        lanes = (lanes & np.uint64(mask)) * weight + (lanes >> np.uint64(width) & np.uint64(mask))
    value: Words = lanes[:, 0]
    for group in range(1, groups):
        value = value * np.uint64(radix**_EIGHT) + lanes[:, group]
    return value


def unpack(values: Words, radix: int, count: int) -> Bytes:
    """Writes numbers as `count` numerals, most significant first: uint64 (n) → uint8 (n, count)."""
    groups = -(-count // _EIGHT)
    lanes = np.empty((len(values), groups), np.uint64)
    for group in range(groups - 1, 0, -1):
        values, lanes[:, group] = _remainder(values, np.uint64(radix**_EIGHT))
    lanes[:, 0] = values
    flat = lanes.reshape(-1)
    for width, kind in ((32, np.uint64), (16, np.uint32), (8, np.uint16)):
        flat = flat.view(np.dtype(kind).newbyteorder("<"))
        high = flat // kind(radix ** (width // 8))
        flat = high | (flat - high * kind(radix ** (width // 8))) << kind(width)
    octets = flat.view(np.uint8).reshape(len(lanes), groups * _EIGHT)
    return octets[:, octets.shape[1] - count :]


def _remainder(values: Words, modulus: np.uint64) -> tuple[Words, Words]:
    """Returns quotient and remainder; NumPy divides many values at a time, but takes remainders one by one."""
    quotient = values // modulus
    return quotient, values - quotient * modulus
