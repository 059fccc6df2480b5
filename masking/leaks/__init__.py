"""Finds what must not be readable: card numbers, track data, My Number, e-mail addresses, phone numbers.

Three certainties: the issuer's own cards are known exactly, by their IINs, and nothing allows one. Other cards are
known by the ranges of the brands, and a column of them by the share of its numbers that pass Luhn. Numbers of other
sorts, one in some dozens of which looks like a card, are declared by their contract, and fit what it declares.

Counts only: no value, and no position of one, leaves this package except to `scrub_text`.
"""

from masking.leaks.columns import count_leaks, scannable
from masking.leaks.gate import find_leaks
from masking.leaks.kinds import ALL_KINDS, LOOKALIKES, MUST_NOT_BE_WRITTEN, Allowed, Leak, LeakKind, Span
from masking.leaks.own_cards import Iin, OwnIins
from masking.leaks.spans import find_spans

__all__ = [
    "ALL_KINDS",
    "LOOKALIKES",
    "MUST_NOT_BE_WRITTEN",
    "Allowed",
    "Iin",
    "Leak",
    "LeakKind",
    "OwnIins",
    "Span",
    "count_leaks",
    "find_leaks",
    "find_spans",
    "scannable",
]
