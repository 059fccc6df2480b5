"""A generated file: written anew, or with --check compared with what is there."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Final

_ROOT: Final = Path(__file__).resolve().parents[1]


def write_or_check(target: Path, text: str, script: str) -> int:
    """Writes the file, or with --check on the command line tells whether it is up to date; returns the exit code.

    Args:
        target: the file.
        text: what belongs in it.
        script: the file of the script that makes it.
    """
    if "--check" not in sys.argv[1:]:
        target.write_text(text, encoding="utf-8")
        return 0
    if target.is_file() and target.read_text(encoding="utf-8") == text:
        return 0
    name = target.relative_to(_ROOT)
    print(f"{name} is out of date: run python {Path(script).resolve().relative_to(_ROOT)}", file=sys.stderr)
    return 1
