"""Finds stretches of digits: whole groups of digits, alone or joined by separators, with a given number of digits.

A window begins where a group of digits begins and ends where one ends, so a number inside a longer run of digits is
never found, and a card number after a date is.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

import numpy as np

from masking.card_numbers import LONGEST
from masking.leaks.spelling import Plain
from masking.leaks.suspects import FEWEST_DIGITS, Bytes, Mask, Positions

WIDEST_GAP = 3
"""Separators between two groups that still read as one number, as in `4111 - 1111`."""

CARD_SEPARATORS = b" -./_\t\r\n"
PHONE_SEPARATORS = b" -.()\t"


@dataclass(frozen=True, slots=True)
class Groups:
    """Every group of adjacent digits: where it begins and ends, its row, and where its digits stand in `digits`."""

    starts: Positions
    ends: Positions
    rows: Positions
    first_digit: Positions
    digits: Bytes = field(repr=False)

    @property
    def lengths(self) -> Positions:
        """Digits of each group."""
        return self.ends - self.starts

    def where(self, chosen: Mask) -> Groups:
        """Gives the chosen ones; `digits` stays whole."""
        return Groups(self.starts[chosen], self.ends[chosen], self.rows[chosen], self.first_digit[chosen], self.digits)


@dataclass(frozen=True, slots=True)
class Windows:
    """Stretches of linked groups: index of the first and last group, and how many digits they have together."""

    first: Positions
    last: Positions
    digits: Positions

    def where(self, chosen: Mask) -> Windows:
        """Gives the chosen ones."""
        return Windows(self.first[chosen], self.last[chosen], self.digits[chosen])

    def places(self, groups: Groups) -> Iterator[tuple[int, int, int, int, int]]:
        """Yields first group, last group, row, start and end of each."""
        rows, starts, ends = groups.rows[self.first], groups.starts[self.first], groups.ends[self.last]
        columns = (self.first, self.last, rows, starts, ends)
        yield from zip(*(column.tolist() for column in columns), strict=True)


def digit_groups(text: Plain) -> Groups:
    """Gives, in order, the groups of digits that may be a part of something: long enough with their neighbors."""
    is_digit = (text.data - ord("0")) < 10  # noqa: PLR2004 - ten digits; smaller bytes wrap around to large ones
    goes_on = np.zeros(len(text.data) + 1, np.bool_)
    goes_on[1:-1] = is_digit[:-1] & is_digit[1:]
    goes_on[text.offsets] = False  # a group never goes on into the next row
    starts = np.flatnonzero(is_digit & ~goes_on[:-1])
    ends = np.flatnonzero(is_digit & ~goes_on[1:]) + 1
    first_digit = np.zeros(len(starts), np.int64)
    np.cumsum((ends - starts)[:-1], out=first_digit[1:])
    rows = np.searchsorted(text.offsets, starts, "right") - 1
    every = Groups(starts, ends, rows, first_digit, np.empty(0, np.uint8))
    found = every.where(_in_long_chains(text, every))
    return replace(found, digits=text.data[is_digit] - np.uint8(ord("0"))) if len(found.starts) else found


def _in_long_chains(text: Plain, groups: Groups) -> Mask:
    """Flags the groups that reach ten digits with the groups linked to them, and are no longer than any number."""
    lengths = groups.lengths
    if not len(lengths):
        return np.zeros(0, np.bool_)
    chain = np.cumsum(~linked(text, groups, CARD_SEPARATORS + PHONE_SEPARATORS)) - 1
    digits = np.bincount(chain, weights=lengths)
    long_enough: Mask = (digits >= FEWEST_DIGITS)[chain] & (lengths <= LONGEST)
    return long_enough


def linked(text: Plain, groups: Groups, separators: bytes) -> Mask:
    """Flags each group that follows the one before it, in its row, after one to three separators only."""
    follows = np.zeros(len(groups.starts), np.bool_)
    if len(follows) < 2:  # noqa: PLR2004 - one group follows nothing
        return follows
    separates = np.zeros(256, np.bool_)
    separates[list(separators)] = True
    gap = groups.starts[1:] - groups.ends[:-1]
    near = np.flatnonzero((gap <= WIDEST_GAP) & (groups.rows[1:] == groups.rows[:-1]))
    near = near[separates[text.data[groups.ends[near]]]]
    for step in range(1, WIDEST_GAP):
        wide = gap[near] > step
        if wide.any():
            wide[wide] = ~separates[text.data[groups.ends[near[wide]] + step]]
            near = near[~wide]
    follows[near + 1] = True
    return follows


def windows(groups: Groups, follows: Mask, starting: Mask, fewest: int, most: int) -> Iterator[Windows]:
    """Yields, by number of groups, the windows of `fewest` to `most` digits that begin at a `starting` group.

    Callers sift each lot before they take the next one: a long text of single digits has seven windows a digit.
    """
    lengths = groups.lengths
    first = np.flatnonzero(starting & (lengths <= most))
    last, total = first, lengths[first]
    for _ in range(most):
        fits = total >= fewest
        if fits.any():
            yield Windows(first[fits], last[fits], total[fits])
        more = (total < most) & (last + 1 < len(lengths))
        first, last, total = first[more], last[more] + 1, total[more]
        more = follows[last]
        first, last, total = first[more], last[more], total[more]
        total = total + lengths[last]
        more = total <= most
        first, last, total = first[more], last[more], total[more]
        if not len(first):
            return


def digits_of(groups: Groups, found: Windows, length: int) -> Bytes:
    """Gives the first `length` digits of windows that have at least as many, as a matrix (windows, length)."""
    return groups.digits[groups.first_digit[found.first][:, None] + np.arange(length)]
