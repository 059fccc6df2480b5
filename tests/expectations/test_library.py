"""Great Expectations is imported without what only a few expectations use, and these find it when they do."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest


def printed(code: str, folder: Path) -> str:
    """Returns what a fresh process prints; code is a file, as PySpark 4.3 takes `python -c` for its own doctests."""
    program = folder / "program.py"
    program.write_text(code, encoding="utf-8")
    return subprocess.run([sys.executable, program], capture_output=True, text=True, check=True).stdout  # noqa: S603


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """Returns what a fork of a process prints, and then the process: it has imported the library and nothing else."""
    code = (
        "import os, sys, expectations.library\n"
        "if not os.fork():\n"
        "    print([name for name in ('scipy.stats', 'altair') if name in sys.modules])\n"
        "    import scipy.stats\n"
        "    print(type(scipy.stats).__name__, scipy.stats.norm.cdf(0), flush=True)\n"
        "    os._exit(0)\n"
        "assert os.wait()[1] == 0\n"
        "from great_expectations.expectations.core import expect_column_kl_divergence_to_be_less_than as divergence\n"
        "print(divergence.stats.entropy([0.5, 0.5], [0.5, 0.5]), divergence.alt.Chart.__name__)\n"
        "print('scipy.stats' in sys.modules, 'altair' in sys.modules)"
    )
    return printed(code, tmp_path_factory.mktemp("library")).splitlines()


def test_statistics_and_charts_are_not_loaded(told: list[str]) -> None:
    """Importing the library leaves SciPy's statistics and Altair alone, and no stand-in where others would find it."""
    assert told[:2] == ["[]", "module 0.5"]


def test_an_expectation_that_needs_them_finds_them(told: list[str]) -> None:
    """What the library calls of them works as if they had been loaded, and loads them."""
    assert told[2:] == ["0.0 Chart", "True True"]


def test_what_is_there_already_stays(tmp_path: Path) -> None:
    """A process that has loaded them keeps its modules, and so does the library."""
    code = (
        "import scipy.stats, sys\nkept = scipy.stats\n"
        "import expectations.library\nprint(sys.modules['scipy.stats'] is kept)"
    )
    assert printed(code, tmp_path).strip() == "True"
