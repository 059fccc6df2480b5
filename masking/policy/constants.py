"""Finds masks whose own output the leak gate would stop: constants, labels, too much shown, tokens inside documents."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import pyarrow as pa

from masking.leaks import count_leaks
from masking.strategies import Bucket, EmailDomain, Fpe, JsonFields, Partial, Redact, Strategy

_FEWEST_DIGITS: Final = 10
"""Digits of the shortest number that the gate knows."""


def shows_leak(strategy: Strategy) -> str:
    """Returns why a mask's own output could trip the leak gate; nothing where it never does."""
    if isinstance(strategy, JsonFields):
        if any(isinstance(one, Fpe) for one in strategy.fields.values()):
            return "a token of fpe inside a document cannot be told from a number that leaked"
        return next((reason for one in strategy.fields.values() if (reason := shows_leak(one))), "")
    if isinstance(strategy, Partial) and strategy.keep_first + strategy.keep_last >= _FEWEST_DIGITS:
        shown = strategy.keep_first + strategy.keep_last
        return f"partial shows {shown} characters, as many as a phone number has digits"
    if count_leaks(pa.array(list(_constants(strategy)), pa.string())):
        return f"a constant of {strategy.strategy} looks like what must not be readable"
    return ""


def _constants(strategy: Strategy) -> Iterator[str]:
    """Yields the texts that a strategy writes whatever the value."""
    if isinstance(strategy, Redact):
        yield strategy.value
    elif isinstance(strategy, EmailDomain):
        yield from (*strategy.known, strategy.other)
    elif isinstance(strategy, Bucket):
        yield from strategy.labels
