"""Encrypts a value into one of the same length and alphabet."""

from __future__ import annotations

from collections.abc import Callable
from string import ascii_lowercase, ascii_uppercase, digits
from typing import ClassVar, Literal

import numpy as np
import pyarrow as pa
from pydantic import Field

from masking.alphabets import Alphabet
from masking.canonical import canonical
from masking.card_numbers import LONGEST, SHORTEST, decrypt_cards, encrypt_cards, free_digits
from masking.kernels.buffers import Bytes, ByteStrings, Flags, assemble
from masking.kernels.ff1 import FF1, min_length
from masking.kernels.luhn import luhn_sum
from masking.leaks.own_cards import OwnIins, are_own
from masking.rows import lost
from masking.strategies.base import Example, KeyedStrategy, MaskContext, Masked
from masking.text_types import is_text

ALGORITHM = "ff1"
_KEY_BYTES = 32
_LONGEST_TEXT = 128
_DIGITS = Alphabet(digits, "0-9")
_ALPHABETS = {
    "pan": _DIGITS,
    "digits": _DIGITS,
    "alphanumeric": Alphabet(digits + ascii_uppercase + ascii_lowercase, "0-9A-Za-z"),
    "upper_alphanumeric": Alphabet(digits + ascii_uppercase, "0-9A-Z"),
}

_Change = Callable[[Bytes], tuple[Bytes, Flags]]


class Fpe(KeyedStrategy):
    """Encrypts a value into one of the same length and alphabet: FF1 (NIST SP 800-38G), the domain's name as tweak.

    With `format: pan`, card numbers of 13 to 19 digits that pass Luhn become tokens that always fail it, so that no
    token can be taken for a live card number. Numbers that fail Luhn are invalid, and so a token is never masked again.
    With the other formats, values of up to 128 characters of the alphabet are encrypted; a card number of the issuer's
    own is invalid there, and no token is one. The leak gate knows columns of tokens: they look like any number.

    What may change must have at least 1,000,000 possible values (6 digits, 4 of 0-9A-Za-z), else the value is invalid:
    a 15-digit number with its first six and last four kept has five free digits. The check digit of a card number is
    not free. A token does not name its key version: the run's record does.
    """

    strategy: Literal["fpe"] = "fpe"
    format: Literal["pan", "digits", "alphanumeric", "upper_alphanumeric"] = Field(
        default="pan", description="What the values are: card numbers, digits, 0-9A-Za-z, or 0-9A-Z."
    )
    keep_first: Literal[0, 6, 8] = Field(default=0, description="Leading characters that stay, as an issuer prefix.")
    keep_last: Literal[0, 4] = Field(default=0, description="Trailing characters that stay, as the last four.")

    reversible: ClassVar[bool] = True
    examples: ClassVar[tuple[Example, ...]] = (
        Example((("4111111111111111", "1034042460054928"), (None, None)), {"domain": "pan"}),
        Example((("4111111111111111", "4111116976991111"),), {"domain": "pan", "keep_first": 6, "keep_last": 4}),
        Example((("AbC0042", "2oQApQr"),), {"domain": "account", "format": "alphanumeric"}),
    )

    @property
    def walks(self) -> bool:
        """Whether tokens avoid the issuer's own card numbers, so that which are known decides what a token is."""
        return self.format != "pan"

    def output_type(self, source: pa.DataType) -> pa.DataType:
        """Returns text; takes text and integers."""
        if not (is_text(source) or pa.types.is_integer(source) or pa.types.is_null(source)):
            raise self._misused(source, "text or an integer")
        return pa.string()

    def token_pattern(self) -> str | None:
        """Returns the alphabet and the possible lengths."""
        shortest, longest = self._lengths()
        return f"^[{_ALPHABETS[self.format].spelling}]{{{shortest},{longest}}}$"

    def key_uses(self) -> tuple[tuple[str, str], ...]:
        """Returns the domain under FF1."""
        return ((self.domain, ALGORITHM),)

    def _apply(self, column: pa.Array, given: MaskContext) -> Masked:
        texts, _ = self._texts(column)
        ff1 = self._ff1(given.keys.subkey(self.domain, ALGORITHM, _KEY_BYTES))
        return self._changed(column, texts, lambda numerals: self._encrypted(ff1, numerals, given.own_iins))

    def _revert(self, tokens: pa.Array, given: MaskContext, version: int | None) -> Masked:
        made_by = given.keys.primary if version is None else version
        ff1 = self._ff1(given.keys.subkey_for_reading(self.domain, ALGORITHM, _KEY_BYTES, made_by))
        return self._changed(tokens, canonical(tokens), lambda numerals: self._decrypted(ff1, numerals, given.own_iins))

    def _ff1(self, key: bytes) -> FF1:
        return FF1(key, _ALPHABETS[self.format].radix, self.domain.encode())

    def _lengths(self) -> tuple[int, int]:
        """Returns the least and the greatest length whose free part is large enough."""
        least = min_length(_ALPHABETS[self.format].radix)
        if self.format == "pan":
            return max(SHORTEST, least + LONGEST - free_digits(LONGEST, self.keep_first, self.keep_last)), LONGEST
        return least + self.keep_first + self.keep_last, _LONGEST_TEXT

    def _changed(self, before: pa.Array, texts: pa.Array, change: _Change) -> Masked:
        """Changes every text that consists of numerals and has a fitting length; the others become null and flagged."""
        alphabet = _ALPHABETS[self.format]
        shortest, longest = self._lengths()
        groups = []
        for rows, matrix in ByteStrings.from_arrow(texts).groups():
            if not shortest <= matrix.shape[1] <= longest:
                continue
            numerals, spelled = alphabet.read(matrix)
            if not spelled.all():
                rows, numerals = rows[spelled], numerals[spelled]  # noqa: PLW2901 - the group without foreign characters
            changed, failed = change(numerals)
            if failed.any():
                rows, changed = rows[~failed], changed[~failed]  # noqa: PLW2901 - the group without what has no token
            groups.append((rows, alphabet.write(changed)))
        values = assemble(len(texts), groups)
        return Masked(values, lost(before, values))

    def _encrypted(self, ff1: FF1, numerals: Bytes, own: OwnIins) -> tuple[Bytes, Flags]:
        if self.walks:
            return self._free_changed(ff1.encrypt, numerals, own)
        failed = luhn_sum(numerals) != 0
        return encrypt_cards(ff1, numerals, self.keep_first, self.keep_last), failed

    def _decrypted(self, ff1: FF1, numerals: Bytes, own: OwnIins) -> tuple[Bytes, Flags]:
        if self.walks:
            return self._free_changed(ff1.decrypt, numerals, own)
        return decrypt_cards(ff1, numerals, self.keep_first, self.keep_last)

    def _free_changed(self, step: Callable[[Bytes], Bytes], numerals: Bytes, own: OwnIins) -> tuple[Bytes, Flags]:
        """Changes the free middle at least once and until the value is no own card number, as nothing here may be."""
        end = numerals.shape[1] - self.keep_last
        changed, failed = numerals.copy(), are_own(numerals, own)
        walking = np.arange(len(numerals))
        while len(walking):
            changed[walking, self.keep_first : end] = step(changed[walking, self.keep_first : end])
            walking = walking[are_own(changed[walking], own) & ~failed[walking]]
        return changed, failed
