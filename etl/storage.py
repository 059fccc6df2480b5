"""Cloud Storage: objects that are created once, checked by CRC32C, and deleted when their time is over."""

from __future__ import annotations

import base64
import io
import os
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus
from typing import Any, BinaryIO, Final, cast

import google_crc32c
from google.api_core import exceptions as google_errors
from google.auth.exceptions import GoogleAuthError
from google.cloud import storage
from google.cloud.storage.exceptions import DataCorruption, InvalidResponse
from google.cloud.storage.retry import DEFAULT_RETRY
from requests import exceptions as http_errors

from etl.errors import NOT_PUBLISHED, BucketMissing, StorageUnavailable
from etl.google_auth import google_credentials, login_failure
from etl.settings import Google, Settings
from masking.errors import KagemushaError

# Google's client would ask for the bucket's metadata behind every new client's first request, to label traces that
# nobody takes; it needs a permission that the job may not have.
os.environ.setdefault("DISABLE_GCS_PYTHON_CLIENT_OTEL_BUCKET_METADATA", "true")
_STAGED: Final = ".parquet"
_CHUNK_BYTES: Final = 8 * 1024 * 1024
_TIMEOUT_SECONDS: Final = 60
_RETRY: Final = DEFAULT_RETRY.with_timeout(60)
_FORBIDDEN: Final = frozenset({HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN})
_ANY_LOGIN: Final = Google()
_FAILURES: Final = (
    google_errors.GoogleAPIError,
    GoogleAuthError,
    InvalidResponse,  # uploads and downloads in chunks do not turn it into an error of Google's API
    DataCorruption,
    http_errors.RequestException,
    OSError,
)


@dataclass(frozen=True)
class StageTarget:
    """Where staged files go and how to log in; it travels to workers and holds no credentials."""

    bucket: str
    prefix: str
    endpoint: str | None
    project: str | None = None
    google: Google = _ANY_LOGIN

    @classmethod
    def of(cls, settings: Settings) -> StageTarget:
        """Gives the target that the settings describe."""
        stage = settings.stage
        return cls(stage.bucket, stage.prefix, stage.endpoint, settings.bigquery.project, settings.google)

    def uri(self, name: str) -> str:
        """Gives the gs:// URI of an object."""
        return f"gs://{self.bucket}/{name}"


@dataclass(frozen=True)
class StoredObject:
    """What Cloud Storage confirmed about an object."""

    name: str
    bytes: int
    crc32c: str
    generation: int


class Stage:
    """One staging bucket.

    Args:
        target: where it is.
    """

    def __init__(self, target: StageTarget) -> None:
        self.target = target
        client = storage.Client(
            project=target.project or "-",
            credentials=google_credentials(target.google, target.endpoint),
            client_options={"api_endpoint": target.endpoint} if target.endpoint else None,
        )
        self._bucket = client.bucket(target.bucket)

    def check(self) -> None:
        """Proves that the bucket is there.

        Raises:
            BucketMissing: it does not exist, or may not be used.
            StorageUnavailable: storage did not answer.
        """
        failure = None
        try:
            next(iter(self._bucket.client.list_blobs(self._bucket, max_results=1, timeout=10, retry=None)), None)
        except _FAILURES as error:
            failure = self._ours(error, "list the staging bucket")
        if failure is not None:
            raise failure

    def create(self, name: str) -> ObjectWriter:
        """Opens a new object for writing; an object of that name must not exist."""
        return ObjectWriter(self, self._bucket.blob(name, chunk_size=_CHUNK_BYTES))

    def write(self, name: str, content: bytes, content_type: str) -> None:
        """Writes a small object whole, replacing one of that name.

        Raises:
            StorageUnavailable: it was not taken.
        """
        failure = None
        try:
            self._bucket.blob(name).upload_from_string(
                content, content_type=content_type, checksum="crc32c", timeout=_TIMEOUT_SECONDS, retry=_RETRY
            )
        except _FAILURES as error:
            failure = self._ours(error, "write an object")
        if failure is not None:
            raise failure

    def read(self, name: str) -> bytes:
        """Gives an object's bytes, proven by its checksum.

        Raises:
            BucketMissing: it is missing, or may not be read.
            StorageUnavailable: it did not arrive whole.
        """
        failure = None
        content = b""
        try:
            content = self._bucket.blob(name).download_as_bytes(
                checksum="crc32c", timeout=_TIMEOUT_SECONDS, retry=_RETRY
            )
        except _FAILURES as error:
            failure = self._ours(error, "read an object")
        if failure is not None:
            raise failure
        return content

    def created(self, name: str) -> datetime:
        """Gives when an object was created.

        Raises:
            BucketMissing: it is missing, or may not be read.
            StorageUnavailable: storage did not answer.
        """
        blob, failure = self._bucket.blob(name), None
        try:
            blob.reload(timeout=_TIMEOUT_SECONDS, retry=_RETRY)
        except _FAILURES as error:
            failure = self._ours(error, "describe an object")
        if failure is not None:
            raise failure
        return cast("datetime", blob.time_created)

    def open(self, name: str) -> BinaryIO:
        """Gives an object as a seekable stream, of which memory holds one chunk at a time."""
        blob = self._bucket.blob(name)
        return cast("BinaryIO", blob.open("rb", chunk_size=_CHUNK_BYTES, timeout=_TIMEOUT_SECONDS, retry=_RETRY))

    def stored(self, prefix: str) -> tuple[StoredObject, ...]:
        """Gives what storage holds under a prefix, as storage itself describes it."""
        failure = None
        found: tuple[StoredObject, ...] = ()
        try:
            blobs = self._bucket.client.list_blobs(self._bucket, prefix=prefix, timeout=_TIMEOUT_SECONDS, retry=_RETRY)
            found = tuple(_confirmed(blob) for blob in blobs)
        except _FAILURES as error:
            failure = self._ours(error, "list staged objects")
        if failure is not None:
            raise failure
        return found

    def expire_after(self, days: int) -> None:
        """Lets the bucket itself delete staged files of this age; its other rules stay as they are.

        Raises:
            BucketMissing: the bucket is missing, or its rules may not be changed.
            StorageUnavailable: storage did not answer.
        """
        failure = None
        try:
            self._bucket.reload(timeout=_TIMEOUT_SECONDS, retry=_RETRY)
            rules = [dict(rule) for rule in self._bucket.lifecycle_rules]
            wanted = expiry_rules(rules, f"{self.target.prefix}/", days)
            if wanted != rules:
                self._bucket.lifecycle_rules = wanted
                self._bucket.patch(timeout=_TIMEOUT_SECONDS, retry=_RETRY)
        except _FAILURES as error:
            failure = self._ours(error, "set the bucket's lifecycle")
        if failure is not None:
            raise failure

    def delete_older(self, before: datetime) -> int:
        """Deletes staged files created before an instant, as far as it may; gives how many.

        Reports and Data Docs stay: they are what an auditor asks for later.
        """
        count = 0
        with suppress(*_FAILURES):  # housekeeping: the next run tries again
            blobs: Iterable[Any] = self._bucket.client.list_blobs(  # Any: untyped client
                self._bucket, prefix=f"{self.target.prefix}/", timeout=_TIMEOUT_SECONDS, retry=_RETRY
            )
            for blob in blobs:
                old = blob.time_created and blob.time_created < before
                if old and not blob.name.endswith("/report.json") and "/data_docs/" not in blob.name:
                    with suppress(google_errors.NotFound):  # another run's clean-up was faster
                        blob.delete(timeout=_TIMEOUT_SECONDS, retry=_RETRY)
                        count += 1
        return count

    def _ours(self, error: BaseException, action: str) -> KagemushaError:
        if (refused := login_failure(error)) is not None:
            return refused
        where = {"bucket": self.target.bucket, "error": type(error).__name__}
        status = error.response.status_code if isinstance(error, InvalidResponse) else None
        missing = isinstance(error, google_errors.NotFound | google_errors.Forbidden | google_errors.Unauthorized)
        if missing or status in _FORBIDDEN:
            return BucketMissing(
                f"Cloud Storage would not {action}: missing or forbidden.", not_done=NOT_PUBLISHED, where=where
            )
        return StorageUnavailable(f"Cloud Storage did not {action}.", not_done=NOT_PUBLISHED, where=where)


def expiry_rules(present: Sequence[Mapping[str, Any]], prefix: str, days: int) -> list[dict[str, Any]]:  # Any: JSON
    """Gives a bucket's lifecycle rules with one that deletes staged files under a prefix; an older one of ours goes."""
    ours = {"matchesPrefix": [prefix], "matchesSuffix": [_STAGED]}
    others = [dict(rule) for rule in present if not ours.items() <= rule.get("condition", {}).items()]
    return [*others, {"action": {"type": "Delete"}, "condition": {"age": days, **ours}}]


class ObjectWriter(io.RawIOBase):
    """A write-only file that becomes an object when `finish` is called, and not before.

    Written bytes are hashed on the way, and storage's own CRC32C must agree.
    """

    def __init__(self, stage: Stage, blob: Any) -> None:  # noqa: ANN401  untyped client
        super().__init__()
        self._stage, self._blob = stage, blob
        self._sink = blob.open("wb", ignore_flush=True, if_generation_match=0, timeout=_TIMEOUT_SECONDS, retry=_RETRY)
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
        except _FAILURES as error:
            failure = self._stage._ours(error, "write an object")  # noqa: SLF001  one module, one subject
        if failure is not None:
            raise failure
        return len(data)

    def abort(self) -> None:
        """Gives the object up: nothing of it will appear in the bucket."""
        with suppress(*_FAILURES):
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
                self._blob.reload(timeout=_TIMEOUT_SECONDS, retry=_RETRY)
        except google_errors.NotFound:
            failure = StorageUnavailable("A staged object did not arrive whole.", not_done=NOT_PUBLISHED)
        except _FAILURES as error:
            failure = self._stage._ours(error, "finish an object")  # noqa: SLF001  one module, one subject
        if failure is None and self._blob.crc32c != base64.b64encode(self._checksum.digest()).decode():
            failure = StorageUnavailable("A staged object arrived damaged.", not_done=NOT_PUBLISHED)
        if failure is not None:
            raise failure
        stored = _confirmed(self._blob)
        return StoredObject(stored.name, self._bytes, stored.crc32c, stored.generation)


def _confirmed(blob: Any) -> StoredObject:  # noqa: ANN401  untyped client
    return StoredObject(blob.name, int(blob.size or 0), str(blob.crc32c), int(blob.generation or 0))
