"""One object on its way to Cloud Storage: it appears whole or not at all."""

from __future__ import annotations

import base64
import io
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import google_crc32c
from google.api_core import exceptions as google_errors
from google.cloud.storage.fileio import BlobWriter

from etl.cloud.storage.failures import FAILURES, RETRY, TIMEOUT_SECONDS, StorageUnavailable, translated_storage
from etl.errors import NOT_PUBLISHED


@dataclass(frozen=True)
class StoredObject:
    """What Cloud Storage confirmed about an object."""

    name: str
    bytes: int
    crc32c: str
    generation: int


class _Upload(BlobWriter):  # type: ignore[misc]  # untyped client
    """The client's own writer, but one that is given up, or whose end failed, sends nothing when it is collected."""

    def __del__(self) -> None:
        """Does nothing; any other file is closed then, which here would send what it still holds, and try for long."""


class ObjectWriter(io.RawIOBase):
    """A write-only file that becomes an object when `finish` is called, and not before.

    Written bytes are hashed on the way, and storage's own CRC32C must agree.
    """

    def __init__(self, blob: Any) -> None:  # noqa: ANN401  untyped client
        super().__init__()
        self._blob = blob
        self._sink = _Upload(blob, ignore_flush=True, if_generation_match=0, timeout=TIMEOUT_SECONDS, retry=RETRY)
        self._checksum = google_crc32c.Checksum()
        self._bytes = 0

    def writable(self) -> bool:
        """It is for writing only."""
        return True

    def write(self, content: Any) -> int:  # noqa: ANN401  any buffer
        """Takes bytes; they may still be on their way when it returns."""
        data = bytes(content)
        self._checksum.update(data)
        self._bytes += len(data)
        with translated_storage(self._blob.bucket.name, "write an object"):
            self._sink.write(data)
        return len(data)

    def abort(self) -> None:
        """Gives the object up: nothing of it will appear in the bucket."""
        with suppress(*FAILURES):
            self._sink.terminate()

    def finish(self) -> StoredObject:
        """Completes the object and proves that storage holds what was written.

        Raises:
            StorageUnavailable: storage refused it, or holds other bytes.
        """
        whole = False
        with translated_storage(self._blob.bucket.name, "finish an object"), suppress(google_errors.NotFound):
            self._sink.close()
            if self._blob.crc32c is None:  # the client stops at a short upload without an error
                self._blob.reload(timeout=TIMEOUT_SECONDS, retry=RETRY)
            whole = True
        if not whole:
            raise StorageUnavailable("A staged object did not arrive whole.", not_done=NOT_PUBLISHED)
        if self._blob.crc32c != base64.b64encode(self._checksum.digest()).decode():
            raise StorageUnavailable("A staged object arrived damaged.", not_done=NOT_PUBLISHED)
        stored = confirmed(self._blob)
        return StoredObject(stored.name, self._bytes, stored.crc32c, stored.generation)


def confirmed(blob: Any) -> StoredObject:  # noqa: ANN401  untyped client
    """Returns what storage says about an object."""
    return StoredObject(blob.name, int(blob.size or 0), str(blob.crc32c), int(blob.generation or 0))
