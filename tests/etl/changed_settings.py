"""The stack's settings with some of them changed, as the file that a command takes."""

from __future__ import annotations

import re
from pathlib import Path

from scripts.local_stack.local_stack import Endpoints


def settings_file(ends: Endpoints, folder: Path, **changes: str) -> Path:
    """Writes the stack's settings with some of them replaced, each named section__key, and returns the file."""
    text = ends.settings.read_text(encoding="utf-8")
    for name, value in changes.items():
        section, _, key = name.partition("__")
        body = re.search(rf"(?ms)^\[{section}\]\n(.*?)(?=^\[|\Z)", text)
        assert body
        kept = "".join(f"{line}\n" for line in body[1].splitlines() if not line.startswith(f"{key} ="))
        text = text.replace(body[1], f"{key} = {value}\n{kept}")
    path = folder / "settings.toml"
    path.write_text(text, encoding="utf-8")
    return path
