"""Great Expectations is imported without what only a few expectations use, and these find it when they do."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path


def printed(code: str, folder: Path) -> str:
    """Returns what a fresh process prints; code is a file, as PySpark 4.3 takes `python -c` for its own doctests."""
    program = folder / "program.py"
    program.write_text(code, encoding="utf-8")
    return subprocess.run([sys.executable, program], capture_output=True, text=True, check=True).stdout  # noqa: S603


def test_statistics_and_charts_are_not_loaded(tmp_path: Path) -> None:
    """Importing the library leaves SciPy's statistics and Altair alone, and no stand-in where others would find it."""
    code = (
        "import sys, expectations.library\n"
        "print([name for name in ('scipy.stats', 'altair') if name in sys.modules])\n"
        "import scipy.stats\nprint(type(scipy.stats).__name__, scipy.stats.norm.cdf(0))"
    )
    assert printed(code, tmp_path).splitlines() == ["[]", "module 0.5"]


def test_an_expectation_that_needs_them_finds_them(tmp_path: Path) -> None:
    """What the library calls of them works as if they had been loaded, and loads them."""
    code = (
        "import sys, expectations.library\n"
        "from great_expectations.expectations.core import expect_column_kl_divergence_to_be_less_than as divergence\n"
        "print(divergence.stats.entropy([0.5, 0.5], [0.5, 0.5]), divergence.alt.Chart.__name__)\n"
        "print('scipy.stats' in sys.modules, 'altair' in sys.modules)"
    )
    assert printed(code, tmp_path).splitlines() == ["0.0 Chart", "True True"]


def test_what_is_there_already_stays(tmp_path: Path) -> None:
    """A process that has loaded them keeps its modules, and so does the library."""
    code = (
        "import scipy.stats, sys\nkept = scipy.stats\n"
        "import expectations.library\nprint(sys.modules['scipy.stats'] is kept)"
    )
    assert printed(code, tmp_path).strip() == "True"
