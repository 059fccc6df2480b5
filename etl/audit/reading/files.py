"""A worker's look at some staged files: every column is read once, batch by batch, and each batch looked at once."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa

from etl.audit.hashes import Hashes, hashes_of, parts_of
from etl.audit.reading.batches import batches_by_value
from etl.audit.reading.declared_numbers import DeclaredNumbers
from etl.audit.reading.footers import Footers, footer_of
from etl.audit.reading.leaks import LeaksSeen, leaks_in
from etl.audit.reading.seen import Rules, Seen
from etl.audit.staged_file import open_staged
from etl.cloud.storage import StagingLocation
from expectations.measures import Counter


@dataclass(frozen=True)
class Share:
    """Some of a table's files.

    Attributes:
        files: name and rows of each, as the manifest has them.
    """

    files: tuple[tuple[str, int], ...]


@dataclass(frozen=True)
class HashPart:
    """Hashes of one `unique` rule, of those that belong to one part."""

    rule: int
    part: int
    hashes: Hashes = field(repr=False)


def look_at(location: StagingLocation, share: Share, rules: Rules, parts: int) -> list[Seen | HashPart]:
    """Returns what is seen in the files of a share, and the hashes that are to be compared with other shares'.

    Memory holds one row group and one batch at a time, and eight bytes a row for each `unique` rule.

    Args:
        location: the staging bucket.
        share: the files.
        rules: what to look for.
        parts: into how many the hashes are divided; equal hashes are in the same.
    """
    look = _Look(rules)
    for name, rows in share.files:
        with open_staged(location, name) as (file, stream):
            footer = footer_of(file, rows, rules.schema, rules.newest_by)
            look.footers += footer
            if not footer.wrong_schema:
                for batch in batches_by_value(location, stream, file.metadata):
                    look.at(batch)
                    del batch  # before the next is decoded: memory holds one
    hashes = [
        HashPart(rule, part, own)
        for rule, found in enumerate(look.hashes)
        for part, own in enumerate(_divided(found, parts))
        if len(own)
    ]
    return [look.seen(), *hashes]


class _Look:
    """What one worker has seen so far."""

    def __init__(self, rules: Rules) -> None:
        self._rules = rules
        self._leaks = LeaksSeen()
        self._declared = DeclaredNumbers(rules.declared)
        self._counter = Counter(rules.counted)
        self.footers = Footers()
        self.hashes: list[list[Hashes]] = [[] for _ in rules.unique]

    def at(self, batch: pa.RecordBatch) -> None:
        """Looks at one batch."""
        self._leaks += leaks_in(batch, self._rules.leaks)
        self._declared.look(batch)
        self._counter.look(batch)
        for found, rule in zip(self.hashes, self._rules.unique, strict=True):
            found.append(hashes_of(batch, rule))

    def seen(self) -> Seen:
        """Returns what was seen."""
        return Seen(self.footers, self._leaks, self._declared.shares(), tuple(self._counter.tallies))


def _divided(found: Sequence[Hashes], parts: int) -> Iterator[Hashes]:
    """Yields the hashes of each part."""
    every = np.concatenate([np.empty(0, np.uint64), *found])
    if parts == 1:
        yield every
        return
    own = parts_of(every, parts)
    order = np.argsort(own, kind="stable")
    yield from np.split(every[order], np.searchsorted(own[order], np.arange(1, parts, dtype=np.uint64)))
