"""What can leak: the kinds of values that must not be readable in staged data."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple


class LeakKind(StrEnum):
    """A kind of value that the leak gate recognizes by its shape, the gravest first."""

    OWN_CARD = "own_card"
    TRACK = "track"
    PAN = "pan"
    MY_NUMBER = "my_number"
    EMAIL = "email"
    PHONE = "phone"


ALL_KINDS = frozenset(LeakKind)
NUMBERS = frozenset({LeakKind.OWN_CARD, LeakKind.PAN, LeakKind.MY_NUMBER})
"""The kinds that a numeric column can hold."""


class Span(NamedTuple):
    """Where a value of some kind stands: row of the array, first byte and end byte within the row's string."""

    row: int
    start: int
    end: int
    kind: LeakKind


@dataclass(frozen=True, slots=True)
class Leak:
    """How many rows of a column hold a value of one kind; never the values."""

    column: str
    kind: LeakKind
    count: int
