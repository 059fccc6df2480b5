"""Finds stretches of digits: whole groups of digits, alone or joined by separators, with a given number of digits.

A window begins where a group of digits begins and ends where one ends, so a card number after a date is found; what
is glued to a card number in one run of digits, `glued` takes off.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np

from masking.card_numbers import SHORTEST
from masking.kernels.buffers import gather
from masking.leaks.marks import Bytes, Mask, Positions
from masking.leaks.runs import FEWEST_DIGITS, WIDEST_GAP
from masking.leaks.signs import LETTER
from masking.leaks.spelling import Plain

CARD_SEPARATORS = b" -./_\t\r\n\v\f"
NARROW = 3
"""With at most so many of a card's own separators, its digits may be grouped in any way; else as cards print them."""

_ZERO = np.uint8(ord("0"))
_A, _LOWER = np.uint8(ord("a")), 0x20
_BY_CARD, _BY_ANY = np.uint8(1), np.uint8(2)


def _separating() -> Bytes:
    bytes_ = np.arange(256, dtype=np.uint8)
    letters = (((bytes_ | _LOWER) - _A) < 26) | (bytes_ == LETTER)  # noqa: PLR2004 - of the alphabet
    separates = np.where(letters | ((bytes_ - _ZERO) < 10), 0, _BY_ANY).astype(np.uint8)  # noqa: PLR2004 - ten digits
    separates[list(CARD_SEPARATORS)] |= _BY_CARD
    return separates


_SEPARATES = _separating()
"""By byte: whether it may stand inside a card number in any groups, inside a number in printed groups, or neither."""


@dataclass(frozen=True)
class Groups:
    """Every group of adjacent digits: where it begins and ends, its row, and where its digits stand in `digits`.

    `links` tells by which separators a group is linked to the one before it; 0: it begins a chain of its own.
    `in_chain` counts the digits of the whole chain.
    """

    starts: Positions
    ends: Positions
    rows: Positions
    first_digit: Positions
    links: Bytes
    in_chain: Positions
    digits: Bytes = field(repr=False)

    @cached_property
    def lengths(self) -> Positions:
        """Digits of each group."""
        return self.ends - self.starts

    @cached_property
    def first_digits(self) -> Bytes:
        """The first digit of each group."""
        return self.digits[self.first_digit]

    @cached_property
    def linked_as_card(self) -> Mask:
        """Flags the groups that go on a number in groups as cards have it."""
        linked: Mask = (self.links & _BY_CARD) > 0
        return linked

    @cached_property
    def linked(self) -> Mask:
        """Flags the groups before which at most six signs stand, none of them a letter."""
        linked: Mask = self.links > 0
        return linked

    def where(self, chosen: Mask) -> Groups:
        """Returns the chosen ones; nothing is linked to one that was left out, and `digits` stays whole."""
        if chosen.all():
            return self
        links = self.links.copy()
        links[1:][~chosen[:-1]] = 0
        return Groups(
            self.starts[chosen],
            self.ends[chosen],
            self.rows[chosen],
            self.first_digit[chosen],
            links[chosen],
            self.in_chain[chosen],
            self.digits,
        )


@dataclass(frozen=True, slots=True)
class Windows:
    """Stretches of linked groups: index of the first and last group, and how many digits they have together."""

    first: Positions
    last: Positions
    digits: Positions

    def where(self, chosen: Mask) -> Windows:
        """Returns the chosen ones."""
        return Windows(self.first[chosen], self.last[chosen], self.digits[chosen])

    def places(self, groups: Groups) -> Iterator[tuple[int, int, int, int, int]]:
        """Yields first group, last group, row, start and end of each."""
        rows, starts, ends = groups.rows[self.first], groups.starts[self.first], groups.ends[self.last]
        columns = (self.first, self.last, rows, starts, ends)
        yield from zip(*(column.tolist() for column in columns), strict=True)


def digit_groups(text: Plain) -> Groups:
    """Returns, in order, the groups of digits that may be a part of something: long enough with their neighbors."""
    is_digit = (text.data - _ZERO) < 10  # noqa: PLR2004 - ten digits; smaller bytes wrap around to large ones
    goes_on = np.zeros(len(text.data) + 1, np.bool_)
    goes_on[1:-1] = is_digit[:-1] & is_digit[1:]
    goes_on[text.offsets] = False  # a group never goes on into the next row
    starts = np.flatnonzero(is_digit & ~goes_on[:-1])
    ends = np.flatnonzero(is_digit & ~goes_on[1:]) + 1
    first_digit = np.zeros(len(starts), np.int64)
    np.cumsum((ends - starts)[:-1], out=first_digit[1:])
    # A row has several groups, so it is quicker to look up where rows begin among the groups than the other way round.
    rows = np.repeat(np.arange(len(text.offsets) - 1), np.diff(np.searchsorted(starts, text.offsets)))
    links = _links(text, starts, ends, rows)
    in_chain = _chain_digits(ends - starts, links == 0)
    every = Groups(starts, ends, rows, first_digit, links, in_chain, np.empty(0, np.uint8))
    found = every.where(in_chain >= FEWEST_DIGITS)
    return replace(found, digits=text.data[is_digit] - _ZERO) if len(found.starts) else found


def _links(text: Plain, starts: Positions, ends: Positions, rows: Positions) -> Bytes:
    """Tells by which separators each group follows the one before it, in its row, after one to six of them only."""
    links = np.zeros(len(starts), np.uint8)
    gap = starts[1:] - ends[:-1]
    near = np.flatnonzero((gap <= WIDEST_GAP) & (rows[1:] == rows[:-1]))
    by = _SEPARATES[text.data[ends[near]]]
    for step in range(1, WIDEST_GAP):
        wide = np.flatnonzero(gap[near] > step)
        if not len(wide):
            break
        by[wide] &= _SEPARATES[text.data[ends[near[wide]] + step]]
    by[gap[near] > NARROW] &= _BY_ANY
    links[near + 1] = by
    return links


def _chain_digits(lengths: Positions, begins: Mask) -> Positions:
    """Returns for each group the digits of its whole chain."""
    firsts = np.flatnonzero(begins)
    if len(firsts) == len(lengths):
        return lengths
    return np.repeat(np.add.reduceat(lengths, firsts), np.diff(firsts, append=len(lengths)))


def windows(groups: Groups, follows: Mask, starting: Mask, fewest: int, most: int) -> Iterator[Windows]:
    """Yields, by number of groups, the windows of `fewest` to `most` digits that begin at a `starting` group.

    Callers sift each lot before they take the next one: a long text of single digits has seven windows a digit.
    """
    lengths = groups.lengths
    enough = starting & (lengths <= most) & (groups.in_chain >= fewest)
    if not enough.any():
        return
    enough &= _digits_from(lengths, ~follows) >= fewest
    first = np.flatnonzero(enough)
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


def _digits_from(lengths: Positions, begins: Mask) -> Positions:
    """Returns for each group its digits and those of the groups after it in its chain."""
    firsts = np.flatnonzero(begins)
    if len(firsts) == len(lengths):
        return lengths
    until = np.cumsum(lengths)
    ends = until[np.append(firsts[1:], len(lengths)) - 1]
    return np.repeat(ends, np.diff(firsts, append=len(lengths))) - until + lengths


def digits_of(groups: Groups, found: Windows, length: int) -> Bytes:
    """Returns the first `length` digits of windows that have at least as many, as a matrix (windows, length)."""
    return gather(groups.digits, groups.first_digit[found.first], length)


PRINTED = (
    *((4, 4, 4, last) for last in (1, 2, 3, 4)),
    *((4, 4, 4, 4, last) for last in (1, 2, 3)),
    (4, 6, 4),
    (4, 6, 5),
    (8, 8),
    (6, 13),
)
"""Digits of the groups in which cards are printed, the last two for halves and for numbers of nineteen digits."""

_LONGEST_PRINTED = 14
_BEGINS_PRINTED = np.zeros((_LONGEST_PRINTED, _LONGEST_PRINTED), np.bool_)
for _shape in PRINTED:
    _BEGINS_PRINTED[_shape[0], _shape[1]] = True
"""By the digits of two groups: whether cards are printed so at their beginning."""


def printed(groups: Groups) -> Iterator[Windows]:
    """Yields the windows whose groups are as cards print them, whatever up to six signs but letters part them."""
    lengths, linked = groups.lengths, groups.linked
    begins = np.flatnonzero(linked[1:] & (groups.in_chain[1:] >= SHORTEST))
    if not len(begins):
        return
    fits = (lengths[begins] < _LONGEST_PRINTED) & (lengths[begins + 1] < _LONGEST_PRINTED)
    begins = begins[fits]
    begins = begins[_BEGINS_PRINTED[lengths[begins], lengths[begins + 1]]]
    for shape in PRINTED:
        first = begins[begins + len(shape) <= len(lengths)]
        for step, digits in enumerate(shape):
            first = first[lengths[first + step] == digits]
            if step:
                first = first[linked[first + step]]
        if len(first):
            yield Windows(first, first + len(shape) - 1, np.full(len(first), sum(shape)))


_THREE = 3
THOUSANDS = ((1, 3, 3, 3, 3, 3), (3, 3, 3, 3, 3), (2, 3, 3, 3, 3), (1, 3, 3, 3, 3, 3, 3))
"""Digits of the groups in which a number of 16, 15, 14 or 19 digits stands when a program takes it for an amount."""


def in_thousands(text: Plain, groups: Groups) -> Iterator[Windows]:
    """Yields whole numbers in groups of thousands, such as `4,111,111,111,111,111`, with one sign between them all."""
    lengths, linked = groups.lengths, groups.linked
    chosen = linked[1:] & ~linked[:-1] & (groups.in_chain[1:] >= SHORTEST)  # a chain's first group, with more after it
    begins = np.flatnonzero(chosen)
    begins = begins[(lengths[begins] <= _THREE) & (lengths[begins + 1] == _THREE)]
    if not len(begins):
        return
    after = text.data[np.minimum(groups.ends, len(text.data) - 1)]
    close = np.append(linked[1:] & (groups.starts[1:] - groups.ends[:-1] == 1), np.False_)
    begins = begins[close[begins]]
    for shape in THOUSANDS:
        first = begins[begins + len(shape) <= len(lengths)]
        for step, digits in enumerate(shape):
            first = first[lengths[first + step] == digits]
            if step:
                first = first[close[first + step - 1] & (after[first + step - 1] == after[first])]
        last = first + len(shape) - 1
        ends = ~close[last] | (after[last] != after[first])
        if ends.any():
            yield Windows(first[ends], last[ends], np.full(int(ends.sum()), sum(shape)))
