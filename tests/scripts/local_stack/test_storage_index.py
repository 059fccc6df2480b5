"""The storage emulator's index: what it reads when it starts again is what it had, however often it was written."""

from __future__ import annotations

import random
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from gcp_storage_emulator.handlers.objects import _patch_object
from gcp_storage_emulator.storage import STORAGE_DIR, Storage

from scripts.local_stack.storage_index import Index

_KINDS = ("buckets", "objects", "resumable", "bucket_iam_policies", "soft_deleted")
_BUCKETS = ("first", "second")


class _Store(Storage):  # type: ignore[misc]  # the emulator's untyped storage
    """The emulator's storage with our index, as the launcher makes it."""

    def _read_config_from_file(self) -> None:
        self.index = Index(Path(self.get_storage_base()) / STORAGE_DIR)
        self.index.read(self)

    def _write_config_to_file(self) -> None:
        self.index.write(self)


def _held(store: Storage) -> dict[str, Any]:
    """Returns what a store remembers, without empty folders of objects: they say nothing."""
    return {kind: _without_empty(getattr(store, kind)) for kind in _KINDS}


def _without_empty(entry: Any) -> Any:
    if not isinstance(entry, dict):
        return entry
    kept = {name: _without_empty(one) for name, one in entry.items()}
    return {name: one for name, one in kept.items() if one != {}}


def _do(store: Storage, draw: random.Random, number: int) -> None:
    """Does something that changes the index."""
    bucket, name = draw.choice(_BUCKETS), f"part-{draw.randrange(6)}.parquet"
    there = store.objects.get(bucket, {}).get(name)
    what = draw.choice(("create", "create", "upload", "patch", "delete", "lock", "allow"))
    fresh = {"bucket": bucket, "name": name, "generation": str(number), "metageneration": "1"}
    if what == "create":
        store.create_file(bucket, name, b"x", fresh)
    elif what == "upload":
        upload = store.create_resumable_upload(bucket, name, fresh)
        if draw.random() < 0.5:
            store.create_file(bucket, name, b"y", fresh, upload)
    elif what == "lock":
        store.buckets[bucket]["retention"] = number  # as its handlers do: where it is
        store.create_bucket(bucket, store.buckets[bucket])
    elif what == "allow":
        store.set_bucket_iam_policy(bucket, {"bindings": number})
    elif there and what == "patch":
        store.patch_object(bucket, name, _patch_object(there, {"metadata": {"number": str(number)}}))
    elif there:
        store.delete_file(bucket, name)


@pytest.mark.parametrize("seed", range(5))
def test_what_was_written_is_read(tmp_path: Path, seed: int) -> None:
    """Objects, their metadata, uploads, policies and deleted objects are there after every start, ended or killed."""
    draw = random.Random(seed)  # noqa: S311  nothing secret
    store = _Store(data_dir=str(tmp_path))
    for bucket in _BUCKETS:
        store.create_bucket(bucket, {"name": bucket})
    for number in range(120):
        _do(store, draw, number)
        if draw.random() < 0.2:
            again = _Store(data_dir=str(tmp_path))
            assert _held(again) == _held(store)
            store = again


def test_a_line_that_was_cut_is_left_out(tmp_path: Path) -> None:
    """By a kill or a full disk: it was never answered; what came before it is there, and what comes after it too."""
    store = _Store(data_dir=str(tmp_path))
    store.create_bucket("first", {"name": "first"})
    with (tmp_path / STORAGE_DIR / ".changes").open("a", encoding="utf-8") as end:
        end.write('\n[[["buckets", "second"], {"na')
    assert _held(_Store(data_dir=str(tmp_path))) == _held(store)
    with (tmp_path / STORAGE_DIR / ".changes").open("a", encoding="utf-8") as end:
        end.write('\n[[["buckets", "second"], {"na')
    store.create_bucket("third", {"name": "third"})
    assert set(_Store(data_dir=str(tmp_path)).buckets) == {"first", "third"}


def test_an_emulator_that_forgets_all_but_its_buckets_keeps_them(tmp_path: Path) -> None:
    """It removes its files, the index among them, and makes the buckets again."""
    store = _Store(data_dir=str(tmp_path))
    for bucket in _BUCKETS:
        store.create_bucket(bucket, {"name": bucket})
    store.create_file("first", "part", b"x", {"generation": "1", "metageneration": "1"})
    store.wipe(keep_buckets=True)
    again = _Store(data_dir=str(tmp_path))
    assert set(again.buckets) == set(_BUCKETS)
    assert not _held(again)["objects"]


def test_a_write_takes_a_line_whatever_is_there(tmp_path: Path) -> None:
    """The index is not written again for each object."""
    store = _Store(data_dir=str(tmp_path))
    store.create_bucket("first", {"name": "first"})
    changes = tmp_path / STORAGE_DIR / ".changes"
    sizes = [changes.stat().st_size]
    for number in range(50):
        fresh = {"generation": f"{number:02}", "metageneration": "1"}
        store.create_file("first", f"part-{number:02}", b"x", fresh)
        sizes.append(changes.stat().st_size)
    steps = {later - sooner for sooner, later in pairwise(sizes)}
    assert len(steps) == 1
