"""The share of a column's numbers that pass Luhn: nearly all card numbers do, and one in ten of any others.

A column is taken for one of cards when so many distinct values pass as chance would give less than once in a billion
columns. The bound is Chernoff's: of n values that pass with probability p each, at least k do with a probability of at
most exp(-n·D(k/n‖p)), where D(a‖p) = a·ln(a/p) + (1-a)·ln((1-a)/(1-p)). Nine values that all pass are too many for p
of one tenth, 41 of which half do, and a million of which 101,900 do. Values that repeat count once: a shop that has two
terminals, one of whose ids passes, is no shop of cards.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from masking.formats.schemes import BY_CHANCE
from masking.kernels.buffers import ByteStrings, Flags, Rows
from masking.kernels.digits import digits_of
from masking.kernels.luhn import luhn_sum
from masking.rows import flags

ONCE_IN: Final = 1e9
_SHORTEST, _LONGEST = 12, 19
_WIDEST: Final = 64
"""Bytes of a value that may be one number among signs; longer ones are texts."""
_ZERO: Final = np.uint8(ord("0"))
_A, _LETTERS, _LOWER = np.uint8(ord("a")), np.uint8(26), np.uint8(0x20)


@dataclass(frozen=True, slots=True)
class LuhnShare:
    """How many of a column's values are numbers of 12 to 19 digits, and how many of those pass Luhn."""

    numbers: int = 0
    valid: int = 0

    def and_also(self, other: LuhnShare) -> LuhnShare:
        """Returns the counts of both together."""
        return LuhnShare(self.numbers + other.numbers, self.valid + other.valid)

    def too_high(self, rate: float = BY_CHANCE) -> bool:
        """Tells whether more values pass than chance gives once in a billion columns."""
        if rate >= 1 or self.valid <= self.numbers * rate:
            return False
        share = self.valid / self.numbers
        distance = share * math.log(share / rate)
        if share < 1:
            distance += (1 - share) * math.log((1 - share) / (1 - rate))
        return self.numbers * distance > math.log(ONCE_IN)


def luhn_share(values: pa.Array, *, distinct: bool = False) -> LuhnShare:
    """Counts the numbers among whole values, and those that pass Luhn; leading zeros count as nothing.

    Whatever signs stand between, before or behind the digits; a value with a letter in it is no number.

    Args:
        values: text, length n.
        distinct: count equal values once.
    """
    values = values.take(pa.array(_that_may_be_numbers(values)))
    if distinct:
        values = pc.unique(values)
    strings = ByteStrings.from_arrow(values)
    numbers, strange = digits_of(strings)
    inside = (numbers.lengths >= _SHORTEST) & (numbers.lengths <= _LONGEST)
    framed = np.flatnonzero(strange & inside & (strings.lengths <= _WIDEST))
    if len(framed):
        strange[framed] = _with_letters(values.take(pa.array(framed)))
    counted = valid = 0
    for rows, texts in numbers.groups():
        if not _SHORTEST <= texts.shape[1] <= _LONGEST:
            continue
        chosen = texts[~strange[rows]] - _ZERO
        counted += len(chosen)
        valid += int((luhn_sum(chosen) == 0).sum())
    return LuhnShare(counted, valid)


def _that_may_be_numbers(values: pa.Array) -> Rows:
    """Returns the rows whose values are long enough for a number and do not begin with a letter."""
    strings = ByteStrings.from_arrow(values)
    rows = np.flatnonzero(strings.lengths >= _SHORTEST)
    firsts = strings.data[strings.offsets[rows]]
    return rows[((firsts | _LOWER) - _A) >= _LETTERS]


def _with_letters(values: pa.Array) -> Flags:
    """Flags the values that hold a letter of any script; the short pattern is compiled in a hundredth of the time."""
    ascii_only = pc.all(pc.string_is_ascii(values), min_count=0).as_py()
    return flags(pc.match_substring_regex(values, "[A-Za-z]" if ascii_only else r"\pL"))
