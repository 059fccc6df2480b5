"""What can leak: the kinds of values that must not be readable in staged data."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import NamedTuple

from masking.formats import LuhnShare, NumberFormat, SchemeName


class LeakKind(StrEnum):
    """A kind of value that the leak gate recognizes, the gravest first; a misfit is not what its contract declares."""

    OWN_CARD = "own_card"
    TRACK = "track"
    PAN = "pan"
    MY_NUMBER = "my_number"
    EMAIL = "email"
    PHONE = "phone"
    MISFIT = "misfit"


ALL_KINDS = frozenset(LeakKind)
NUMBERS = frozenset({LeakKind.OWN_CARD, LeakKind.PAN, LeakKind.MY_NUMBER})
"""The kinds that a numeric column can hold."""


MUST_NOT_BE_WRITTEN = frozenset({LeakKind.PAN, LeakKind.TRACK, LeakKind.MY_NUMBER})
"""What no text may hold that is written down for years, whoever typed it."""
LOOKALIKES = frozenset({LeakKind.PAN, LeakKind.MY_NUMBER, LeakKind.PHONE})
"""The kinds that a number of another sort can look like, so that a declared format answers for them."""


class Span(NamedTuple):
    """Where a value of some kind stands: row of the array, first byte and end byte within the row's string."""

    row: int
    start: int
    end: int
    kind: LeakKind


@dataclass(frozen=True, slots=True)
class Allowed:
    """What the leak gate lets pass in one column; the issuer's own cards never.

    Attributes:
        kinds: what values may look like.
        number: the declared format, which every value must fit.
        tokens: whether the values are tokens of `fpe`, which look like any number but are none.
    """

    kinds: frozenset[LeakKind] = frozenset()
    number: NumberFormat | None = None
    tokens: bool = False


@dataclass(frozen=True, slots=True)
class Leak:
    """How many rows of a column hold a value of one kind, and what tells their sort; never the values.

    Attributes:
        column: its name.
        kind: what they look like.
        count: how many rows.
        in_text: how many of these rows hold words, too.
        share: of all whole values of the column, how many are long numbers and pass Luhn.
        fits: names of declared formats that every value of the column fits.
    """

    column: str
    kind: LeakKind
    count: int
    in_text: int = field(default=0, compare=False)
    share: LuhnShare = field(default=LuhnShare(), compare=False)
    fits: tuple[SchemeName, ...] = field(default=(), compare=False)
