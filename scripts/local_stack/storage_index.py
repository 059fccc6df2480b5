"""The storage emulator's index on disk: whole when the emulator starts, and then a line for each change.

As it comes, the emulator writes all of its index at every write; here it writes what has changed, which it still looks
for among all. A line that was cut was not answered, and is left out: the next one says again what it said.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

_FLAT: Final = ("buckets", "resumable", "bucket_iam_policies")
_KINDS: Final = (*_FLAT, "objects", "soft_deleted")

Steps = tuple[str, ...]
"""Where an entry is: the emulator's name of its kind, then bucket, object, generation, as far as it has them."""


class Index:
    """What the emulator remembers of its objects, on disk.

    Args:
        folder: of the emulator's objects.
    """

    def __init__(self, folder: Path) -> None:
        self._whole = folder / ".meta"
        self._changes = folder / ".changes"
        self._known: dict[Steps, tuple[Any, object]] = {}

    def read(self, store: Any) -> None:  # noqa: ANN401 - the emulator's untyped storage
        """Loads what is on disk into the store, and writes it in one step as a whole."""
        whole = json.loads(self._whole.read_text(encoding="utf-8")) if self._whole.exists() else {}
        for kind in _KINDS:
            setattr(store, kind, whole.get(kind) or {})
        lines = self._changes.read_text(encoding="utf-8").splitlines() if self._changes.exists() else []
        for line in lines:
            with suppress(json.JSONDecodeError):
                for steps, entry in json.loads(line):
                    _put(store, steps, entry)
        self._write_whole(store)

    def write(self, store: Any) -> None:  # noqa: ANN401 - as above
        """Adds what has changed since it was read or written."""
        if not self._whole.exists():  # the emulator has removed everything
            self._write_whole(store)
            return
        now, known = _entries(store), self._known
        changes: list[tuple[Steps, Any]] = [(steps, None) for steps in known.keys() - now.keys()]
        changes += [(steps, entry) for steps, (entry, mark) in now.items() if not _same(known.get(steps), entry, mark)]
        if changes:
            with self._changes.open("a", encoding="utf-8") as end:
                end.write(f"\n{json.dumps(changes)}\n")  # begins anew where a write before it was cut
        self._known = now

    def _write_whole(self, store: Any) -> None:  # noqa: ANN401 - as above
        fresh = self._whole.with_suffix(".new")
        fresh.write_text(json.dumps({kind: getattr(store, kind) for kind in _KINDS}), encoding="utf-8")
        fresh.replace(self._whole)
        self._changes.unlink(missing_ok=True)
        self._known = _entries(store)


def _entries(store: Any) -> dict[Steps, tuple[Any, object]]:  # noqa: ANN401 - as above
    """Returns every entry, and a mark that changes when the emulator changes the entry where it is."""
    return {steps: (entry, _mark(steps[0], entry)) for steps, entry in _walk(store)}


def _walk(store: Any) -> Iterator[tuple[Steps, Any]]:  # noqa: ANN401 - as above
    for kind in _FLAT:
        for name, entry in getattr(store, kind).items():
            yield (kind, name), entry
    for bucket, objects in store.objects.items():
        for name, entry in objects.items():
            yield ("objects", bucket, name), entry
    for bucket, objects in store.soft_deleted.items():
        for name, generations in objects.items():
            for generation, entry in generations.items():
                yield ("soft_deleted", bucket, name, generation), entry


def _mark(kind: str, entry: Any) -> object:  # noqa: ANN401 - as above
    return json.dumps(entry) if kind in _FLAT else entry.get("metageneration")


def _same(before: tuple[Any, object] | None, entry: Any, mark: object) -> bool:  # noqa: ANN401 - as above
    return before is not None and before[0] is entry and before[1] == mark


def _put(store: Any, steps: Sequence[str], entry: Any) -> None:  # noqa: ANN401 - as above
    place = getattr(store, steps[0])
    for step in steps[1:-1]:
        place = place.setdefault(step, {})
    if entry is None:
        place.pop(steps[-1], None)
    else:
        place[steps[-1]] = entry
