"""Characters as numerals, a matrix of text at a time."""

from __future__ import annotations

import numpy as np

from masking.kernels.buffers import Bytes, Flags

_FOREIGN = 255
_DIGITS = b"0123456789"
_ZERO = np.uint8(ord("0"))


class Alphabet:
    """A list of ASCII characters, each standing for its place in the list.

    Args:
        characters: the characters, numeral 0 first.
        spelling: the same characters as the inside of a regular expression's class.
    """

    def __init__(self, characters: str, spelling: str) -> None:
        self._characters = np.frombuffer(characters.encode("ascii"), np.uint8)
        self._numeral_of = np.full(256, _FOREIGN, np.uint8)
        self._numeral_of[self._characters] = np.arange(len(characters), dtype=np.uint8)
        self._only_digits = characters.encode("ascii") == _DIGITS
        self.radix = len(characters)
        self.spelling = spelling

    def read(self, text: Bytes) -> tuple[Bytes, Flags]:
        """Returns the numerals of each row, uint8 (m, L), and True for rows that are spelled in this alphabet only."""
        # Digits are 48 above their value, and a subtraction is several times faster than a look-up.
        numerals: Bytes = text - _ZERO if self._only_digits else self._numeral_of[text]
        if numerals.size == 0 or numerals.max() < self.radix:
            return numerals, np.ones(len(text), np.bool_)
        fits: Flags = np.all(numerals < self.radix, axis=1)
        return numerals, fits

    def write(self, numerals: Bytes) -> Bytes:
        """Returns the characters of each row of numerals."""
        return numerals + _ZERO if self._only_digits else self._characters[numerals]
