"""The generated reference of the strategies is up to date."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def test_the_reference_is_up_to_date() -> None:
    """What the page says was generated from the code as it is."""
    check = [sys.executable, "scripts/generate_strategies.py", "--check"]
    assert subprocess.run(check, cwd=ROOT, check=False, timeout=120).returncode == 0  # noqa: S603 - our own script
