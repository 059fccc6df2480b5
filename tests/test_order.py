"""Long files start first: the list of them is true, and the processes that share the tests keep its order."""

from __future__ import annotations

import re
from pathlib import Path

from tests.conftest import LONG, TESTS

ROOT = Path(__file__).parents[1]


def test_the_long_files_are_there() -> None:
    """Each is named once, where it is."""
    assert [name for name in LONG if not (TESTS / name).is_file()] == []
    assert len(set(LONG)) == len(LONG)


def test_the_order_is_kept() -> None:
    """Every target that shares the tests among processes shares whole files, and takes them in our order."""
    shared = re.findall(r"(?m)^\t.*-m pytest --numprocesses.*$", (ROOT / "Makefile").read_text(encoding="utf-8"))
    assert len(shared) == 3
    assert all("--dist loadfile --no-loadscope-reorder" in line for line in shared)
