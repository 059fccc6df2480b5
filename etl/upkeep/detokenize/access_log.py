"""The access log: one JSON line for every look behind a token, on disk before the first value is shown."""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from etl.clock import now
from masking.errors import KagemushaError

_PRIVATE: Final = 0o600


class AccessLogUnusable(KagemushaError):
    """The access log cannot be written, so nothing that must be recorded in it may happen."""

    advice = "Name a file on a disk with [detokenize].audit_log in the settings, or with --audit-log."


class AccessLog:
    """A file that only grows, readable by its owner alone.

    Args:
        path: where it is; it and its folder are made where they are missing.
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    def append(self, record: Mapping[str, object]) -> None:
        """Adds one line, with the time; returns when the disk has it.

        Raises:
            AccessLogUnusable: it cannot be written, or is no regular file.
        """
        line = json.dumps({"at": now().isoformat(), **record}, ensure_ascii=False) + "\n"
        problem = ""
        try:
            problem = self._write(line.encode())
        except OSError as error:
            problem = f"it cannot be written ({os.strerror(error.errno or 0)})"
        if problem:
            raise AccessLogUnusable(
                f"The access log {self._path.name} has a problem: {problem}.",
                not_done="No value was shown.",
                where={"file": self._path},
            )

    def _write(self, line: bytes) -> str:
        new = not self._path.exists()
        self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        handle = os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC | os.O_NONBLOCK, _PRIVATE)
        try:
            if not stat.S_ISREG(os.fstat(handle).st_mode):
                return "it is no regular file"
            if os.write(handle, line) != len(line):
                return "its disk is full"
            os.fsync(handle)
        finally:
            os.close(handle)
        if new:
            _sync_folder(self._path.parent)
        return ""


def _sync_folder(folder: Path) -> None:
    """Makes a new file's name as durable as its content."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
