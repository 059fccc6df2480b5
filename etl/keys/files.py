"""Key files: read only when nobody else can read them, changed by one at a time, written whole or not at all."""

from __future__ import annotations

import fcntl
import os
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import ClassVar

from etl.errors import TRANSIENT
from masking.errors import KeyUnusable

_PRIVATE = 0o600
_OTHERS = stat.S_IRWXG | stat.S_IRWXO


class KeyringBusy(KeyUnusable):
    """Somebody else is changing the keyring, or has just changed it."""

    advice = "Look with `kagemusha keys list`, then run again."
    exit_code: ClassVar[int] = TRANSIENT


def keyring_busy(where: str) -> KeyringBusy:
    """Returns the error of a keyring that two change at once."""
    return KeyringBusy("Somebody else changes the keyring.", not_done="It was not changed.", where={"keyring": where})


@contextmanager
def changed_alone(path: Path) -> Iterator[None]:
    """Keeps others from changing a file until the end of the block: of two changes at once one would lose its key.

    Raises:
        KeyUnusable: when the file is missing or unreadable.
        KeyringBusy: when somebody else is changing it.
    """
    read_text(path)
    with path.open("rb+") as file:
        busy = False
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            busy = not os.path.samestat(os.fstat(file.fileno()), path.stat())  # it was replaced meanwhile
        except BlockingIOError:
            busy = True
        if busy:
            raise keyring_busy(str(path))
        yield


def read_private(path: Path) -> str:
    """Returns the text of a file that only its owner can read or write.

    Raises:
        KeyUnusable: when group or world have any right to it, or as `read_text` does.
    """
    return _read(path, forbidden=_OTHERS)


def read_text(path: Path) -> str:
    """Returns the text of a file.

    Raises:
        KeyUnusable: when it is missing, unreadable, or no text.
    """
    return _read(path, forbidden=0)


def write_private(path: Path, text: str, *, replace: bool) -> None:
    """Writes a file that only its owner can read; a reader sees the old text or the new one, never a part.

    Raises:
        KeyUnusable: when the file is there and may not be replaced, or cannot be written.
    """
    problem = ""
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        problem = _place(path, text, replace=replace)
    except OSError as error:
        problem = f"{path.name} cannot be written: {os.strerror(error.errno or 0)}."
    if problem:
        raise KeyUnusable(problem, not_done="No key was stored.", where={"file": path})


def _place(path: Path, text: str, *, replace: bool) -> str:
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")  # made with mode 0600
    draft = Path(name)
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as out:
            out.write(text)
            out.flush()
            os.fsync(out.fileno())
        if replace:
            draft.replace(path)
        else:
            path.hardlink_to(draft)  # unlike a rename, this never takes the place of another file
    except FileExistsError:
        return f"{path.name} is already there and was not replaced."
    finally:
        draft.unlink(missing_ok=True)
    return ""


def _read(path: Path, forbidden: int) -> str:
    problem = advice = ""
    try:
        with path.open(encoding="utf-8") as file:
            mode = stat.S_IMODE(os.fstat(file.fileno()).st_mode)
            if not mode & forbidden:
                return file.read()
            problem = f"{path.name} is open to others (mode {mode:04o})."
            advice = f"chmod {_PRIVATE:o} the file, and rotate the key if others may have read it."
    except OSError as error:
        problem = f"{path.name} cannot be read: {os.strerror(error.errno or 0)}."
        advice = "Make a keyring with `kagemusha keys init`, or correct [keyring].ref in the settings."
    except UnicodeDecodeError:
        problem = f"{path.name} is not text."
    raise KeyUnusable(problem, not_done="No key was loaded.", advice=advice, where={"file": path})
