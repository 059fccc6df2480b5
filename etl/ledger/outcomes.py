"""How a table's load ended, as `ops.table_loads.outcome` says it, and which endings count for what.

A load that failed counts for nothing, also where it had replaced some days before: they are loaded again.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final


class LoadOutcome(StrEnum):
    """How a load ended; the ledger holds these words, and behind `failed` the kind of the error."""

    PUBLISHED = "published"
    ALREADY_LOADED = "already loaded"
    RETOKENIZED = "retokenized"
    AUDITED = "audited"
    """Audited again and no more; it is reported, and the ledger has no row of it."""
    FAILED = "failed"


PUBLISHED: Final = frozenset({LoadOutcome.PUBLISHED})
"""The source was read and its rows were published: only such a row of the ledger describes what a load brought.

It is what `verify` compares with, what a merge goes on from, what the usual size of a load is learned from, and what
proves a day done for a backfill. A load that `--resume` left out has its counts in the row of the load that did it. A
retokenization read nothing from the source: it has no watermark and no quarantine, its rows are those of the load
before, and columns that cannot be renewed stay under the key version of that load.
"""
LOADED: Final = frozenset({LoadOutcome.PUBLISHED, LoadOutcome.ALREADY_LOADED})
"""A business day's load is done: it was published, or a resumed run proved that it had been.

It is what `--resume` leaves out and how far `status` says that a table is loaded. A retokenization loads no business
day; it takes the table's lease, so that `--resume` loads a table again that was retokenized since.
"""
REPLACED: Final = frozenset({LoadOutcome.PUBLISHED, LoadOutcome.RETOKENIZED})
"""Published rows were replaced, from the source or by themselves under another key version.

A table that was staged before is superseded: it would bring back older rows, or tokens of an older version. And its
rows were written under the row's key versions, which therefore are in use. A load that `--resume` left out wrote none.
"""


def failed(kind: str) -> str:
    """Returns the outcome of a load that ended with an error of this kind."""
    return f"{LoadOutcome.FAILED}: {kind}"


def failure_kind(outcome: str) -> str | None:
    """Returns the kind of the error with which a load ended; None where it did not fail."""
    word, _, kind = outcome.partition(": ")
    return kind if word == LoadOutcome.FAILED else None
