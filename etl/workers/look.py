"""What a worker says of itself. This module is sent to workers as it is: one that lacks our package can answer too.

So nothing here may need a module of ours, but inside the function that says so.
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import importlib.resources
import os
import pickle
import socket
import sys
import time
from typing import TYPE_CHECKING, TypedDict

import pyspark

if TYPE_CHECKING:
    from collections.abc import Iterator
    from importlib.resources.abc import Traversable

    from masking.errors import KagemushaError

PACKAGES = ("etl", "masking", "schemas")
LIBRARIES = (
    "adbc-driver-postgresql", "cryptography", "google-cloud-storage", "numpy", "pandas", "psycopg", "pyarrow",
)  # fmt: skip
"""What a task works with, beside PySpark, which a cluster may bring without installing it."""


class Look(TypedDict):
    """One worker's answer.

    Attributes:
        host: its machine.
        process: of the executor's Python; no two executors share it.
        executable: its Python.
        python: the version, as far as it matters: 3.11.
        package: a digest of our package's code; empty where it has none.
        libraries: name → version; empty where it has none.
        clock: its time, in seconds since 1970.
        failure: what kept it from reaching what a task needs.
    """

    host: str
    process: int
    executable: str
    python: str
    package: str
    libraries: dict[str, str]
    clock: float
    failure: KagemushaError | None


def look(expected: str = "", ways: bytes = b"") -> Look:
    """Returns what this process is, and whether it reaches what a task needs.

    Args:
        expected: the digest of the driver's package; another one tries no ways.
        ways: the pickled `Ways` to try.
    """
    clock, package = time.time(), _package()
    return Look(
        host=socket.gethostname(),
        process=os.getppid(),
        executable=sys.executable,
        python=".".join(map(str, sys.version_info[:2])),
        package=package,
        libraries={"pyspark": pyspark.__version__, **{name: _version(name) for name in LIBRARIES}},
        clock=clock,
        failure=_failure(ways) if ways and package == expected else None,
    )


def _failure(ways: bytes) -> KagemushaError | None:
    from etl.workers.ways import try_ways  # noqa: PLC0415  it has our package

    return try_ways(pickle.loads(ways))  # noqa: S301  the driver's own


def _version(name: str) -> str:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return ""


def _package() -> str:
    digest = hashlib.sha256()
    try:
        for package in PACKAGES:
            for name, code in _code(importlib.resources.files(package), package):
                digest.update(name.encode() + b"\0" + code + b"\0")
    except ModuleNotFoundError:
        return ""
    return digest.hexdigest()[:12]


def _code(folder: Traversable, name: str) -> Iterator[tuple[str, bytes]]:
    for one in sorted(folder.iterdir(), key=lambda one: one.name):
        if one.is_dir():
            yield from _code(one, f"{name}/{one.name}")
        elif one.name.endswith(".py"):
            yield f"{name}/{one.name}", one.read_bytes()
