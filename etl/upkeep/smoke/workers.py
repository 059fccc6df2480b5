"""The executors, as a load will find them: their Python and versions, the key, the bucket, the way to the reader."""

from __future__ import annotations

import os
import platform
import socket
import sys
from collections.abc import Callable, Iterable, Iterator
from importlib.metadata import version
from typing import Any, Final

from etl.errors import SettingsInvalid, Unexpected, worst
from etl.settings import Settings
from etl.source import Snapshot, join_snapshot
from masking.errors import KagemushaError
from masking.keyring import KeyRef

LIBRARIES: Final = ("pyarrow", "cryptography", "google-cloud-storage", "numpy")
_NOT_READ: Final = "No row was read."

Seen = dict[str, Any]  # what a worker tells of itself: words and codes


def look_at_workers(settings: Settings, snapshot: Snapshot | None) -> str:
    """Returns what the executors have in common with the driver.

    Args:
        settings: of the installation.
        snapshot: the reader that they are to join; None where the driver has none, so that it is not tried.

    Raises:
        SettingsInvalid: their Python or libraries differ from the driver's.
        KagemushaError: the first failure that a worker met.
        Unexpected: they could not run Python at all.
    """
    from etl.keys import open_keyring  # noqa: PLC0415  its failure is the driver's own finding

    keys = open_keyring(KeyRef(settings.keyring.ref))
    key = KeyRef(settings.keyring.ref, keys.primary, keys.version(keys.primary).kcv)
    seen = _asked(looker(settings, key, snapshot))
    strange = sorted({name for one in seen for name, have in one["versions"].items() if have != versions()[name]})
    if strange:
        raise SettingsInvalid(
            f"Executors have other versions than the driver: {', '.join(strange)}.",
            not_done=_NOT_READ,
            advice="Give driver and executors the same environment: --python-virtual-env (Glue), --archives (Spark).",
        )
    failures = [one for one in seen if one["code"]]
    if failures:
        code = worst(*(one["code"] for one in failures))
        first = next(one for one in failures if one["code"] == code)
        error = SettingsInvalid if code != Unexpected.exit_code else Unexpected
        raise error(f"On executor {first['host']}: {first['what']}", not_done=_NOT_READ, advice=first["advice"])
    hosts = {one["host"] for one in seen}
    pythons = {one["python"] for one in seen}
    joined = ", reader joined" if snapshot else ""
    return (
        f"{len({one['pid'] for one in seen})} processes on {len(hosts)} hosts, Python {' '.join(sorted(pythons))}, "
        f"key, bucket{joined}"
    )


def versions() -> dict[str, str]:
    """Returns the versions that have to be the same everywhere."""
    return {"python": platform.python_version(), **{name: version(name) for name in LIBRARIES}}


def looker(settings: Settings, key: KeyRef, snapshot: Snapshot | None) -> Callable[[Iterable[int]], Iterator[Seen]]:
    """Returns the function that looks from a worker; it travels with references, never with a key or a password."""

    def look(_: Iterable[int]) -> Iterator[Seen]:
        yield _seen(settings, key, snapshot)

    return look


def _seen(settings: Settings, key: KeyRef, snapshot: Snapshot | None) -> Seen:
    seen: Seen = {"host": socket.gethostname(), "pid": os.getpid(), "python": sys.executable, "versions": versions()}
    try:
        _used(settings, key, snapshot)
    except KagemushaError as error:
        return {**seen, "code": error.exit_code, "what": error.what, "advice": error.todo}
    except Exception as error:  # noqa: BLE001  its message may quote a secret
        return {**seen, "code": 3, "what": f"It failed with {type(error).__name__}.", "advice": ""}
    return {**seen, "code": 0}


def _used(settings: Settings, key: KeyRef, snapshot: Snapshot | None) -> None:
    from etl.cloud.storage import StagingBucket, StagingLocation  # noqa: PLC0415  loaded where it is used
    from etl.keys import open_keyring  # noqa: PLC0415  the same

    open_keyring(key)
    StagingBucket(StagingLocation.of(settings)).check()
    if snapshot:
        with join_snapshot(snapshot):
            pass


def _asked(look: Callable[[Iterable[int]], Iterator[Seen]]) -> list[Seen]:
    """Asks every slot of the cluster once; a Spark that cannot is told without its words."""
    from etl.spark import spark_session  # noqa: PLC0415  Spark takes seconds to start

    context = spark_session().sparkContext
    slots = max(context.defaultParallelism, 1)
    try:
        return list(context.parallelize(range(slots), slots).mapPartitions(look).collect())
    except Exception as error:  # noqa: BLE001  Spark's words quote what ended a task
        kind = type(error).__name__
    raise Unexpected(
        f"Executors could not run a task ({kind}).",
        not_done=_NOT_READ,
        advice="Read an executor's log: its Python lacks this package, or is another one than the driver's.",
    )
