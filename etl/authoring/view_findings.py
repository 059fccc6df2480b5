"""Finds what is wrong with the views beside contracts, with file and line, as the linter does for contracts."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

from etl.errors import SettingsInvalid
from etl.publish.views import read_view
from schemas.lint import VIEW_FITS, LintedFile, Located

_LINE: Final = re.compile(r":(\d+)$")


def view_findings(paths: Iterable[Path]) -> tuple[Located, ...]:
    """Returns every finding about the views of the folders at the paths, in the order of files."""
    folders = [path / "views" for path in paths if path.is_dir()]
    files = sorted({file for folder in folders for file in folder.glob("*.sql")})
    return tuple(found for file in files for found in _of_one(file))


def _of_one(path: Path) -> Iterator[Located]:
    try:
        read_view(path)
    except SettingsInvalid as error:
        line = _LINE.search(error.where.get("file", ""))
        yield LintedFile(path, None).at(VIEW_FITS, error.what, int(line[1]) if line else 1)
