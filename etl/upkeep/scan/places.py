"""A place that is scanned, such as a file or a table, and what was found in it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

import pyarrow as pa

from masking.errors import KagemushaError
from masking.formats import LuhnShare
from masking.leaks import Allowed, Leak, LeakKind, OwnIins, find_leaks

_NAME_OF_PLACE, _NAMES_OF_COLUMNS = "its name", "names of columns"
Batches = Callable[[], Iterator[pa.RecordBatch]]
"""A way of reading a place from its beginning."""


class Unreadable(KagemushaError):
    """A place cannot be read in the way that was tried, so nothing can be said about what is in it."""


@dataclass(frozen=True)
class Place:
    """What is scanned as one thing.

    Attributes:
        name: a file, an object or a table.
        ways: ways of reading it; each next one is for when the one before cannot read it to its end.
        allowed: column → what a contract lets it hold.
    """

    name: str
    ways: tuple[Batches, ...]
    allowed: Mapping[str, Allowed] = field(default_factory=dict)


@dataclass(frozen=True)
class Scanned:
    """What one place held: rows, and per column and kind how many of them hold a leak. Never a value.

    `problem` says why it could not be scanned to its end; what was found until then counts.
    """

    place: str
    rows: int
    leaks: tuple[Leak, ...]
    problem: str = ""


def scan(places: Iterable[Place], kinds: frozenset[LeakKind], own: OwnIins = ()) -> Iterator[Scanned]:
    """Scans places one after the other, batch by batch, by the issuer's own IINs too; memory holds one batch.

    Names of files and columns are looked at like values, and shown only where they hold none.
    """
    for number, place in enumerate(places, 1):
        for way in place.ways:
            found = _scanned(place, way, kinds, own)
            if not found.problem:
                break
        folder, slash, name = place.name.rpartition("/")
        leaks = _in_names([name], _NAME_OF_PLACE, kinds, own)
        shown = f"{folder}{slash}(place {number}; its name is withheld)" if leaks else place.name
        yield replace(found, place=shown, leaks=(*leaks, *found.leaks))


def _in_names(names: Sequence[str], called: str, kinds: frozenset[LeakKind], own: OwnIins) -> tuple[Leak, ...]:
    """Returns what names hold that must not be read anywhere."""
    leaks = find_leaks(pa.record_batch({called: pa.array(names, pa.string())}), {}, own)
    return tuple(leak for leak in leaks if leak.kind in kinds)


def _scanned(place: Place, way: Batches, kinds: frozenset[LeakKind], own: OwnIins) -> Scanned:
    rows, problem = 0, ""
    counts: Counter[tuple[str, LeakKind]] = Counter()
    shares: dict[str, LuhnShare] = {}
    names: dict[str, None] = {}
    try:
        for batch in way():
            names |= dict.fromkeys(batch.schema.names)
            rows += batch.num_rows
            others = {name: _also(place.allowed.get(name, Allowed()), kinds) for name in batch.schema.names}
            for leak in find_leaks(batch, others, own):
                if leak.kind in kinds:
                    counts[leak.column, leak.kind] += leak.count
                    shares[leak.column] = shares.get(leak.column, LuhnShare()).and_also(leak.share)
    except KagemushaError as error:
        problem = error.what
    except (pa.ArrowException, OSError) as error:  # their messages can quote values
        problem = f"It cannot be read ({type(error).__name__})."
    readable = {name: f"column {at}" for at, name in enumerate(names, 1) if _in_names([name], name, kinds, own)}
    leaks = (
        Leak(readable.get(column, column), kind, count, share=shares.get(column, LuhnShare()))
        for (column, kind), count in sorted(counts.items())
    )
    named = _in_names(list(readable), _NAMES_OF_COLUMNS, kinds, own)
    return Scanned(place.name, rows, (*named, *leaks), problem)


def _also(allowed: Allowed, kinds: frozenset[LeakKind]) -> Allowed:
    """Returns what is allowed, and every kind that is not looked for."""
    return replace(allowed, kinds=allowed.kinds | (frozenset(LeakKind) - kinds))
