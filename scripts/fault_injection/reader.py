"""A reader that asks BigQuery again and again while a load is disturbed, as analysts do."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from google.api_core.exceptions import GoogleAPIError

from scripts.fault_injection.field import LEAVER, Field, Rows

_PAUSE_SECONDS = 0.15
_LEFT = f"('visits', {LEAVER})"


@dataclass
class Reads:
    """What a reader saw.

    Attributes:
        count: how often it read everything.
        wrong: destinations that it could not read, or that held neither yesterday's rows nor today's.
    """

    count: int = 0
    wrong: list[str] = field(default_factory=list)


def torn(played: Field) -> list[str]:
    """Returns the destinations that hold neither yesterday's rows nor today's."""
    found = played.rows()
    places = {*found, *played.yesterday, *played.today}
    return [
        place for place in places if not any(_same(found, rows, place) for rows in (played.yesterday, played.today))
    ]


def _same(found: Rows, known: Rows, place: str) -> bool:
    return _staying(found.get(place)) == _staying(known.get(place))


def _staying(rows: Counter[str] | None) -> Counter[str]:
    """Returns the rows without that of the person who may be forgotten meanwhile."""
    return Counter({row: count for row, count in (rows or Counter()).items() if _LEFT not in row})


@contextmanager
def reading(played: Field) -> Iterator[Reads]:
    """Reads all the time until the block ends, and once more."""
    reads, over = Reads(), threading.Event()

    def read() -> None:
        while True:
            last = over.is_set()
            try:
                reads.wrong += torn(played)
            except GoogleAPIError as error:
                reads.wrong.append(type(error).__name__)
            reads.count += 1
            if last:
                return
            over.wait(_PAUSE_SECONDS)

    thread = threading.Thread(target=read, name="reader")
    thread.start()
    try:
        yield reads
    finally:
        over.set()
        thread.join()
