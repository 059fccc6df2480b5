"""One object on its way to Cloud Storage: it appears whole or not at all; and what failures of storage mean."""

from __future__ import annotations

import base64
import io
from contextlib import suppress
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Final

import google_crc32c
from google.api_core import exceptions as google_errors
from google.auth.exceptions import GoogleAuthError
from google.cloud.storage.exceptions import DataCorruption, InvalidResponse
from google.cloud.storage.retry import DEFAULT_RETRY
from requests import exceptions as http_errors

from etl.cloud.google_login import login_failure
from etl.errors import NOT_PUBLISHED, BucketMissing, StorageUnavailable
from masking.errors import KagemushaError

TIMEOUT_SECONDS: Final = 60
RETRY: Final = DEFAULT_RETRY.with_timeout(60)
FAILURES: Final = (
    google_errors.GoogleAPIError,
    GoogleAuthError,
    InvalidResponse,  # uploads and downloads in chunks do not turn it into an error of Google's API
    DataCorruption,
    http_errors.RequestException,
    OSError,
)
_FORBIDDEN: Final = frozenset({HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN})


@dataclass(frozen=True)
class StoredObject:
    """What Cloud Storage confirmed about an object."""

    name: str
    bytes: int
    crc32c: str
    generation: int


class ObjectWriter(io.RawIOBase):
    """A write-only file that becomes an object when `finish` is called, and not before.

    Written bytes are hashed on the way, and storage's own CRC32C must agree.
    """

    def __init__(self, blob: Any) -> None:  # noqa: ANN401  untyped client
        super().__init__()
        self._blob = blob
        self._sink = blob.open("wb", ignore_flush=True, if_generation_match=0, timeout=TIMEOUT_SECONDS, retry=RETRY)
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
        failure = None
        try:
            self._sink.write(data)
        except FAILURES as error:
            failure = failure_of(error, self._blob.bucket.name, "write an object")
        if failure is not None:
            raise failure
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
        failure: KagemushaError | None = None
        try:
            self._sink.close()
            if self._blob.crc32c is None:  # the client stops at a short upload without an error
                self._blob.reload(timeout=TIMEOUT_SECONDS, retry=RETRY)
        except google_errors.NotFound:
            failure = StorageUnavailable("A staged object did not arrive whole.", not_done=NOT_PUBLISHED)
        except FAILURES as error:
            failure = failure_of(error, self._blob.bucket.name, "finish an object")
        if failure is None and self._blob.crc32c != base64.b64encode(self._checksum.digest()).decode():
            failure = StorageUnavailable("A staged object arrived damaged.", not_done=NOT_PUBLISHED)
        if failure is not None:
            raise failure
        stored = confirmed(self._blob)
        return StoredObject(stored.name, self._bytes, stored.crc32c, stored.generation)


def confirmed(blob: Any) -> StoredObject:  # noqa: ANN401  untyped client
    """Returns what storage says about an object."""
    return StoredObject(blob.name, int(blob.size or 0), str(blob.crc32c), int(blob.generation or 0))


def failure_of(error: BaseException, bucket: str, action: str) -> KagemushaError:
    """Returns our error for a failure of Cloud Storage: what it did not do, without its own words."""
    if (refused := login_failure(error)) is not None:
        return refused
    where = {"bucket": bucket, "error": type(error).__name__}
    status = error.response.status_code if isinstance(error, InvalidResponse) else None
    missing = isinstance(error, google_errors.NotFound | google_errors.Forbidden | google_errors.Unauthorized)
    if missing or status in _FORBIDDEN:
        return BucketMissing(
            f"Cloud Storage would not {action}: missing or forbidden.", not_done=NOT_PUBLISHED, where=where
        )
    return StorageUnavailable(f"Cloud Storage did not {action}.", not_done=NOT_PUBLISHED, where=where)
