"""What of the lock goes to Glue, and whether Glue's system can load it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from importlib.metadata import Distribution
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[3]
PYTHON: Final = "3.11"
GLIBC: Final = (2, 34)
"""Glue 5.1 runs on Amazon Linux 2023. Source: AWS Glue Developer Guide, migrating to 5.0; AL2023's glibc is 2.34."""
BROUGHT_BY_SPARK: Final = frozenset({"pyspark", "py4j"})
ONLY_ON_GLUE: Final = "awsgluedataplanepython"
_NAME: Final = re.compile(r"^([A-Za-z0-9_.-]+)(?:\[[^\]]*\])?==", re.MULTILINE)
_MANYLINUX: Final = re.compile(r"manylinux_(\d+)_(\d+)_x86_64")
_OLD_NAMES: Final = {"manylinux1": (2, 5), "manylinux2010": (2, 12), "manylinux2014": (2, 17)}


def glue_lock(root: Path = ROOT) -> str:
    """Returns the requirements of the environment: the package's lock without Spark, with Glue's own Python part."""
    main = _entries((root / "requirements.lock").read_text(encoding="utf-8"))
    development = _entries((root / "requirements-dev.lock").read_text(encoding="utf-8"))
    chosen = {name: text for name, text in main.items() if name not in BROUGHT_BY_SPARK}
    return "".join([*chosen.values(), development[ONLY_ON_GLUE]])


def _entries(lock: str) -> Mapping[str, str]:
    """Returns name → the lines of its entry, hashes included."""
    starts = [(found.start(), normalized(found[1])) for found in _NAME.finditer(lock)]
    ends = [*(start for start, _ in starts[1:]), len(lock)]
    return {name: lock[start:end] for (start, name), end in zip(starts, ends, strict=True)}


def normalized(name: str) -> str:
    """Returns a distribution's name as PyPI compares it. Source: PEP 503."""
    return re.sub(r"[-_.]+", "-", name).lower()


def names(lock: str) -> list[str]:
    """Returns the names of a lock's distributions."""
    return list(_entries(lock))


def too_new(found: Distribution) -> list[str]:
    """Returns the platform tags of an installed wheel if none of them fits Glue; empty when one does."""
    tags = [
        line.removeprefix("Tag: ") for line in (found.read_text("WHEEL") or "").splitlines() if line.startswith("Tag: ")
    ]
    return [] if any(_fits(tag) for tag in tags) else tags


def _fits(tag: str) -> bool:
    interpreter, _, platform = tag.split("-", 2)
    python = any(one in {"py3", "py2", "cp311"} or _abi3(one, tag) for one in interpreter.split("."))
    return python and any(needed <= GLIBC for needed in _glibc(platform))


def _abi3(interpreter: str, tag: str) -> bool:
    return "abi3" in tag and interpreter.startswith("cp3") and int(interpreter.removeprefix("cp3")) <= 11  # noqa: PLR2004  PYTHON


def _glibc(platform: str) -> Iterator[tuple[int, int]]:
    for one in platform.split("."):
        if one == "any":
            yield (0, 0)
        elif numbered := _MANYLINUX.fullmatch(one):
            yield (int(numbered[1]), int(numbered[2]))
        elif one.removesuffix("_x86_64") in _OLD_NAMES:
            yield _OLD_NAMES[one.removesuffix("_x86_64")]
