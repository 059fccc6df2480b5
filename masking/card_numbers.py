"""Card numbers as digit matrices: what is free to change, and tokens that no one can take for a live card number.

A token has the length of its card number and always fails Luhn. Only numbers that pass Luhn have a token: nine tenths
of all digit strings fail it, so tokens for all ten tenths cannot be one to one. It also means that a token is refused
where a card number is expected, so nothing is masked twice unnoticed.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pyarrow as pa

from masking.kernels.buffers import Bytes, ByteStrings, Flags
from masking.kernels.ff1 import FF1
from masking.kernels.luhn import check_digit, luhn_sum
from masking.rows import naming

SHORTEST, LONGEST = 13, 19
_RADIX = 10
_ZERO = np.uint8(ord("0"))


def count_valid_cards(column: pa.Array) -> int:
    """Returns how many values are 13 to 19 digits that pass Luhn, whoever may have issued them."""
    if pa.types.is_dictionary(column.type):
        return int(naming(column, _valid_cards(column.dictionary)).sum())
    return int(_valid_cards(column).sum())


def _valid_cards(column: pa.Array) -> Flags:
    """Flags the values that are valid card numbers."""
    valid = np.zeros(len(column), np.bool_)
    for rows, matrix in ByteStrings.from_arrow(column.cast(pa.string())).groups():
        if SHORTEST <= matrix.shape[1] <= LONGEST:
            digits = matrix - _ZERO  # smaller bytes wrap around to large ones
            numbers = np.flatnonzero((digits < _RADIX).all(axis=1))
            valid[rows[numbers]] = luhn_sum(digits[numbers]) == 0
    return valid


def free_digits(length: int, first: int, last: int) -> int:
    """Returns how many digits FF1 may change: those not kept, and not the check digit, which the others determine."""
    return length - first - max(last, 1)


def encrypt_cards(ff1: FF1, cards: Bytes, first: int, last: int) -> Bytes:
    """Returns the token of each card number: uint8 (m, L) that pass Luhn → uint8 (m, L) that fail it.

    Without kept last digits, FF1 encrypts the payload, and the check digit becomes one more than the valid one. With
    them the check digit stays, so the failure must lie in the middle: its first digit is moved on by one, which spoils
    Luhn, and FF1 then permutes the middles that fail Luhn among themselves, by encrypting again while the result passes
    (cycle walking). The free digits make up an FF1 domain of at least 1,000,000 values: the caller sees to it.
    """
    tokens = cards.copy()
    if last == 0:
        tokens[:, first:-1] = ff1.encrypt(cards[:, first:-1])
        tokens[:, -1] = (check_digit(tokens[:, :-1]) + 1) % _RADIX
        return tokens
    tokens[:, first] = (tokens[:, first] + 1) % _RADIX
    _walk(ff1.encrypt, tokens, first, last)
    return tokens


def decrypt_cards(ff1: FF1, tokens: Bytes, first: int, last: int) -> tuple[Bytes, Flags]:
    """Returns the card number behind each token, and True where there is none: uint8 (m, L) → (m, L), bool (m)."""
    cards = tokens.copy()
    if last == 0:
        failed = tokens[:, -1] != (check_digit(tokens[:, :-1]) + 1) % _RADIX
        cards[:, first:-1] = ff1.decrypt(tokens[:, first:-1])
        cards[:, -1] = check_digit(cards[:, :-1])
        return cards, failed
    failed = luhn_sum(tokens) == 0
    chosen = np.flatnonzero(~failed)
    walked = tokens[chosen]
    _walk(ff1.decrypt, walked, first, last)
    walked[:, first] = (walked[:, first] + _RADIX - 1) % _RADIX
    cards[chosen] = walked
    failed[chosen] = luhn_sum(walked) != 0
    return cards, failed


def _walk(step: Callable[[Bytes], Bytes], numbers: Bytes, first: int, last: int) -> None:
    """Applies `step` to the free middles at least once and until each number fails Luhn; changes `numbers`."""
    end = numbers.shape[1] - last
    walking = np.arange(len(numbers))
    while len(walking):
        numbers[walking, first:end] = step(numbers[walking, first:end])
        walking = walking[luhn_sum(numbers[walking]) == 0]
