"""Long files start first: the list of them is true, and the processes that share the tests keep its order."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.conftest import LONG, SERVERS, TESTS

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


def test_a_quick_test_starts_no_server_of_its_own(request: pytest.FixtureRequest) -> None:
    """What the desk's loop runs asks for none beside the stack that it shares, and starts no other stack."""
    quick = [item for item in request.session.items if item.get_closest_marker("long") is None]
    assert [item.nodeid for item in quick if not SERVERS.isdisjoint(getattr(item, "fixturenames", ()))] == []
    own = {path for path in TESTS.rglob("test_*.py") if re.search(r"\bLocalStack\(", path.read_text(encoding="utf-8"))}
    assert own
    assert own <= {TESTS / name for name in LONG}
