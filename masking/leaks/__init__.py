"""Finds what must not be readable: card numbers, track data, My Number, e-mail addresses, Japanese phone numbers.

Counts only: no value, and no position of one, leaves this package except to `scrub_text`.
"""

from masking.leaks.columns import count_leaks, find_leaks, scannable
from masking.leaks.kinds import ALL_KINDS, Leak, LeakKind, Span
from masking.leaks.spans import find_spans

__all__ = ["ALL_KINDS", "Leak", "LeakKind", "Span", "count_leaks", "find_leaks", "find_spans", "scannable"]
