"""Contracts as they were at a revision: git's copy of their folder, for the length of a block."""

from __future__ import annotations

import io
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from zipfile import ZipFile

from schemas.errors import ContractInvalid


@contextmanager
def contracts_at(source: str, folder: Path) -> Iterator[Path]:
    """Yields the folder that `source` names, or, where it names none, `folder` as it was at that git revision.

    Raises:
        ContractInvalid: there is neither such a folder nor such a revision of the contracts.
    """
    if Path(source).is_dir():
        yield Path(source)
        return
    archive = _git(folder, "archive", "--format=zip", _commit(source, folder))  # of the current folder only
    with TemporaryDirectory(prefix="kagemusha-") as copy:
        with ZipFile(io.BytesIO(archive)) as files:
            files.extractall(copy)  # links become files, names stay below the folder
        yield Path(copy)


def _commit(revision: str, folder: Path) -> str:
    name = _git(folder, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{revision}^{{commit}}")
    return name.decode().strip()


def _git(folder: Path, *arguments: str) -> bytes:
    try:
        done = subprocess.run(  # noqa: S603  the revision cannot be taken for an option
            ["git", "-C", str(folder), *arguments],  # noqa: S607  whichever git the user has
            capture_output=True,
            check=False,
        )
        code = done.returncode
    except OSError:
        code = 1
    if code:
        raise ContractInvalid(
            "There is neither a folder nor a git revision of that name with these contracts in it.",
            not_done="Nothing was compared.",
            advice="Name a folder of contracts, or a revision such as origin/main or HEAD~1.",
            where={"folder": folder},
        )
    return done.stdout
