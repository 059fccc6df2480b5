"""The files that ship with a package of ours as a folder, also where the package is imported from an archive."""

from __future__ import annotations

import atexit
import shutil
import tempfile
from functools import lru_cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path


@lru_cache
def data_folder(package: str) -> Path:
    """Returns the folder of a package's files.

    Spark puts a zip of `--py-files` on the path as it is. Python 3.11 finds files in it and gives no folder, so they
    are unpacked once a process, and removed when it ends.
    """
    found = files(package)
    if isinstance(found, Path):
        return found
    folder = Path(tempfile.mkdtemp(prefix=f"kagemusha-{package}-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    _unpack(found, folder)
    return folder


def _unpack(found: Traversable, folder: Path) -> None:
    folder.mkdir(exist_ok=True)
    for one in found.iterdir():
        if one.is_dir():
            _unpack(one, folder / one.name)
        elif not one.name.endswith((".py", ".pyc")):
            (folder / one.name).write_bytes(one.read_bytes())
