"""A reader that asks BigQuery while a load is disturbed, as analysts do: after every change, and now and then.

It reads once more whenever a request may have changed what is published, before the load hears that it was answered.
So whatever stands between two changes is seen, and seen before the next one.
"""

from __future__ import annotations

import re
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Final

from google.api_core.exceptions import GoogleAPIError

from scripts.fault_injection.field import LEAVER, Field, Rows

_PAUSE_SECONDS: Final = 2.0
"""Between reads for no reason: others than the load change BigQuery too, and not through its proxy."""
_CHANGE: Final = re.compile(rb'"(?:copy|load)"|MERGE |DELETE |UPDATE |INSERT |TRUNCATE |CREATE |DROP |ALTER ')
_LEFT: Final = f"('visits', {LEAVER})"


@dataclass
class Reads:
    """What a reader saw.

    Attributes:
        count: how often it read everything.
        wrong: destinations that it could not read, or that held neither yesterday's rows nor today's.
    """

    count: int = 0
    wrong: list[str] = field(default_factory=list)


class _Reader:
    """Reads one at a time; who asks while another waits for its turn shares that one's read."""

    def __init__(self, played: Field, reads: Reads) -> None:
        self._field, self._reads = played, reads
        self._turn, self._guard = threading.Lock(), threading.Lock()
        self._asked = self._answered = 0
        self._datasets = {contract.dataset.encode() for contract in played.contracts.values()}

    def read(self) -> None:
        """Returns when a read is done that began after the call."""
        with self._guard:
            self._asked += 1
            mine = self._asked
        with self._turn:
            if self._answered >= mine:
                return
            begun = self._asked
            try:
                self._reads.wrong += torn(self._field)
            except GoogleAPIError as error:
                self._reads.wrong.append(type(error).__name__)
            self._reads.count += 1
            self._answered = begun

    def after(self, method: str, path: str, body: bytes) -> None:
        """Reads if a request may have changed what is published."""
        changes = method != "GET" and ("/tables" in path or _CHANGE.search(body))
        if changes and any(name in body or name in path.encode() for name in self._datasets):
            self.read()


def torn(played: Field) -> list[str]:
    """Returns the destinations that hold neither yesterday's rows nor today's."""
    found = played.rows()
    places = {*found, *played.yesterday, *played.today}
    return [place for place in places if not any(same(found, one, place) for one in (played.yesterday, played.today))]


def same(found: Rows, known: Rows, place: str) -> bool:
    """Tells whether a destination holds the same rows, but for that of the person who may be forgotten meanwhile."""
    return _staying(found.get(place)) == _staying(known.get(place))


def _staying(rows: Counter[str] | None) -> Counter[str]:
    return Counter({row: count for row, count in (rows or Counter()).items() if _LEFT not in row})


@contextmanager
def reading(played: Field) -> Iterator[Reads]:
    """Reads after every change and now and then until the block ends, and once more."""
    reads, over = Reads(), threading.Event()
    reader = _Reader(played, reads)

    def read() -> None:
        while not over.wait(_PAUSE_SECONDS):
            reader.read()
        reader.read()

    thread = threading.Thread(target=read, name="reader")
    thread.start()
    try:
        with played.bigquery.witnessed_by(reader.after):
            yield reads
    finally:
        over.set()
        thread.join()
