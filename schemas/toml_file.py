"""Reads a TOML file so that whatever is wrong with it has a line."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Final

_LINE: Final = re.compile(r"line (\d+)")


def read_toml(path: Path) -> tuple[str, dict[str, object], str, int]:
    """Returns the text of a TOML file, what it holds, and what is wrong with it at which line.

    The problem is empty where nothing is wrong; the line is 0 where the file has none.

    Messages of the parser are not repeated: they can quote the file.
    """
    if not path.exists():
        return "", {}, "The settings file does not exist.", 0
    try:
        raw = path.read_bytes()
    except OSError:
        return "", {}, "The settings file cannot be read.", 0
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError as error:
        return "", {}, "The settings file is not UTF-8 text.", raw.count(b"\n", 0, error.start) + 1
    try:
        return text, tomllib.loads(text), "", 1
    except tomllib.TOMLDecodeError as error:
        found = _LINE.search(str(error))
        line = int(found[1]) if found else len(text.splitlines())
    except (ValueError, RecursionError, OverflowError):  # a number of thousands of digits, brackets within brackets
        line = 1
    return text, {}, "The settings file cannot be read as TOML.", max(1, line)


def line_of_setting(text: str, keys: Sequence[object]) -> int:
    """Returns the line of a setting, from 1: of its key, else of its section, else of the file's beginning."""
    *sections, last = [str(key) for key in keys] or [""]
    header, assignment = f"[{'.'.join(sections)}]", re.compile(rf"\s*[\"']?{re.escape(last)}[\"']?\s*[=.]")
    found, inside = 1, not sections
    for number, line in enumerate(text.splitlines(), 1):
        if line.strip().startswith("["):
            inside = line.strip().startswith((header, f"[{'.'.join([*sections, last])}]"))
            found = number if inside else found
        elif inside and assignment.match(line):
            return number
    return found
