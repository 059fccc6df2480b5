"""The runtimes of `make matrix` are what their files say, and stay within what the package asks for."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet

from scripts.matrix.runtime import RUNTIMES, TESTS, Runtime

ROOT = Path(__file__).parents[2]


def locked(lock: Path) -> dict[str, str]:
    """Returns the versions of a lock by name."""
    return dict(
        re.findall(r"^([A-Za-z0-9_.-]+?)(?:\[[^]]*\])?==([^ ;\\]+)", lock.read_text(encoding="utf-8"), re.MULTILINE)
    )


def demanded(file: Path) -> list[Requirement]:
    """Returns what a file of requirements asks for, without its comments and references."""
    lines = (line.partition("#")[0].strip() for line in file.read_text(encoding="utf-8").splitlines())
    return [Requirement(line) for line in lines if line and not line.startswith("-")]


@pytest.mark.parametrize("runtime", RUNTIMES, ids=lambda runtime: runtime.name)
def test_a_lock_holds_what_its_file_wants(runtime: Runtime) -> None:
    """A file that was edited without `make lock`, or a package left out of a lock, is noticed."""
    own = ROOT / "requirements.in" if runtime.name == "glue-5.1" else runtime.lock.with_suffix(".txt")
    versions = locked(runtime.lock)
    for wanted in demanded(own):
        assert versions[wanted.name] in wanted.specifier, wanted.name
    missing = {one.name for one in demanded(ROOT / "requirements.in")} - set(versions)
    assert not missing


@pytest.mark.parametrize("runtime", RUNTIMES, ids=lambda runtime: runtime.name)
def test_a_runtime_is_within_the_package_s_own_ranges(runtime: Runtime) -> None:
    """What is tried is what a user may install: setup.py's ranges of Python and of every library admit it."""
    setup = (ROOT / "setup.py").read_text(encoding="utf-8")
    (python,) = re.findall(r'python_requires="([^"]+)"', setup)
    assert f"{runtime.python}.0" in SpecifierSet(python)
    ranges = [Requirement(found) for found in re.findall(r'"([a-z][a-z0-9-]*(?:\[[a-z]+\])?[<>=][^"]*)"', setup)]
    assert {"pyspark", "pyarrow", "great-expectations"} <= {one.name for one in ranges}
    versions = locked(runtime.lock)
    for one in ranges:
        assert versions[one.name] in one.specifier, one.name


def test_the_part_of_the_tests_is_there() -> None:
    """A folder that was renamed would silently be no part of the matrix any more."""
    assert all((ROOT / place).exists() for place in TESTS)
