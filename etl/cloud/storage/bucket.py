"""Cloud Storage: objects that are created once and checked by CRC32C."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any, BinaryIO, Final, cast

from google.api_core import exceptions as google_errors
from google.cloud.storage import Client

from etl.cloud.google_login import google_credentials
from etl.cloud.storage.failures import RETRY, TIMEOUT_SECONDS, translated_storage
from etl.cloud.storage.object_writer import ObjectWriter, StoredObject, confirmed
from etl.settings import GoogleSettings, Settings

# Google's client would ask for the bucket's metadata behind every new client's first request, to label traces that
# nobody takes; it needs a permission that the job may not have.
os.environ.setdefault("DISABLE_GCS_PYTHON_CLIENT_OTEL_BUCKET_METADATA", "true")
_STAGED: Final = ".parquet"
_CHUNK_BYTES: Final = 8 * 1024 * 1024
_ANY_LOGIN: Final = GoogleSettings()
_GOOGLE: Final = "https://storage.googleapis.com"
"""Always named: otherwise a variable for emulators could lead staged files, and our tokens, elsewhere."""


@dataclass(frozen=True)
class StagingLocation:
    """Where staged files go and how to log in; it travels to workers and holds no credentials."""

    bucket: str
    prefix: str
    endpoint: str | None
    project: str | None = None
    google: GoogleSettings = _ANY_LOGIN

    @classmethod
    def of(cls, settings: Settings) -> StagingLocation:
        """Returns the place that the settings describe."""
        stage = settings.stage
        return cls(stage.bucket, stage.prefix, stage.endpoint, settings.bigquery.project, settings.google)

    def uri(self, name: str) -> str:
        """Returns the gs:// URI of an object."""
        return f"gs://{self.bucket}/{name}"


class StagingBucket:
    """One staging bucket.

    Args:
        target: where it is.
    """

    def __init__(self, target: StagingLocation) -> None:
        self.target = target
        client = Client(
            project=target.project or "-",
            credentials=google_credentials(target.google, target.endpoint),
            client_options={"api_endpoint": target.endpoint or _GOOGLE},
        )
        self._bucket = client.bucket(target.bucket)

    def check(self) -> None:
        """Proves that the bucket is there.

        Raises:
            BucketMissing: it does not exist, or may not be used.
            StorageUnavailable: storage did not answer.
        """
        with translated_storage(self.target.bucket, "list the staging bucket"):
            next(iter(self._bucket.client.list_blobs(self._bucket, max_results=1, timeout=10, retry=None)), None)

    def create(self, name: str) -> ObjectWriter:
        """Opens a new object for writing; an object of that name must not exist."""
        return ObjectWriter(self._bucket.blob(name, chunk_size=_CHUNK_BYTES))

    def write(self, name: str, content: bytes, content_type: str) -> None:
        """Writes a small object whole, replacing one of that name.

        Raises:
            StorageUnavailable: it was not taken.
        """
        with translated_storage(self.target.bucket, "write an object"):
            self._put(name, content, content_type)

    def write_once(self, name: str, content: bytes, content_type: str) -> None:
        """Writes a small object whole, unless there is one of that name, which stays as it is.

        Raises:
            StorageUnavailable: it was not taken.
        """
        with translated_storage(self.target.bucket, "write an object"), suppress(google_errors.PreconditionFailed):
            self._put(name, content, content_type, if_generation_match=0)

    def read(self, name: str) -> bytes:
        """Returns an object's bytes, proven by its checksum.

        Raises:
            ObjectMissing: it is not there.
            BucketMissing: it may not be read.
            StorageUnavailable: it did not arrive whole.
        """
        with translated_storage(self.target.bucket, "read an object"):
            blob = self._bucket.blob(name)
            return cast("bytes", blob.download_as_bytes(checksum="crc32c", timeout=TIMEOUT_SECONDS, retry=RETRY))

    def created(self, name: str) -> datetime:
        """Returns when an object was created.

        Raises:
            ObjectMissing: it is not there.
            BucketMissing: it may not be read.
            StorageUnavailable: storage did not answer.
        """
        blob = self._bucket.blob(name)
        with translated_storage(self.target.bucket, "describe an object"):
            blob.reload(timeout=TIMEOUT_SECONDS, retry=RETRY)
        return cast("datetime", blob.time_created)

    def open(self, name: str) -> BinaryIO:
        """Returns an object as a seekable stream, of which memory holds one chunk at a time.

        A chunk is received as a whole: by the 8 KiB, as the client would, it takes several times as long.
        """
        stream: Any = self._bucket.blob(name).open(
            "rb", chunk_size=_CHUNK_BYTES, single_shot_download=True, timeout=TIMEOUT_SECONDS, retry=RETRY
        )
        return cast("BinaryIO", stream)

    def stored(self, prefix: str) -> tuple[StoredObject, ...]:
        """Returns what storage holds under a prefix, as storage itself describes it."""
        return tuple(map(confirmed, self._listed(prefix)))

    def expire_after(self, days: int) -> None:
        """Lets the bucket itself delete staged files of this age; its other rules stay as they are.

        Raises:
            BucketMissing: the bucket is missing, or its rules may not be changed.
            StorageUnavailable: storage did not answer.
        """
        with translated_storage(self.target.bucket, "set the bucket's lifecycle"):
            self._bucket.reload(timeout=TIMEOUT_SECONDS, retry=RETRY)
            rules = [dict(rule) for rule in self._bucket.lifecycle_rules]
            wanted = expiry_rules(rules, f"{self.target.prefix}/", days)
            if wanted != rules:
                self._bucket.lifecycle_rules = wanted
                self._bucket.patch(timeout=TIMEOUT_SECONDS, retry=RETRY)

    def ages(self, prefix: str) -> Iterator[tuple[str, datetime]]:
        """Returns, as they are listed, the objects under a prefix and when each was created.

        Raises:
            BucketMissing: the bucket is missing, or may not be listed.
            StorageUnavailable: storage did not answer.
        """
        return ((blob.name, blob.time_created) for blob in self._listed(prefix))

    def delete(self, name: str) -> None:
        """Deletes an object.

        Raises:
            ObjectMissing: it is not there.
            BucketMissing: the bucket is missing, or the object may not be deleted.
            StorageUnavailable: storage did not answer.
        """
        with translated_storage(self.target.bucket, "delete an object"):
            self._bucket.blob(name).delete(timeout=TIMEOUT_SECONDS, retry=RETRY)

    def _put(self, name: str, content: bytes, content_type: str, **condition: int) -> None:
        self._bucket.blob(name).upload_from_string(
            content, content_type=content_type, checksum="crc32c", timeout=TIMEOUT_SECONDS, retry=RETRY, **condition
        )

    def _listed(self, prefix: str) -> Iterator[Any]:  # Any: untyped client
        with translated_storage(self.target.bucket, "list staged objects"):
            yield from self._bucket.client.list_blobs(self._bucket, prefix=prefix, timeout=TIMEOUT_SECONDS, retry=RETRY)


@lru_cache(maxsize=4)
def staging_bucket(target: StagingLocation) -> StagingBucket:
    """Returns this process's one client of a staging bucket: each client logs in and connects anew."""
    return StagingBucket(target)


def expiry_rules(present: Sequence[Mapping[str, Any]], prefix: str, days: int) -> list[dict[str, Any]]:  # Any: JSON
    """Returns lifecycle rules with one that deletes staged files under a prefix; an older one of ours goes."""
    ours = {"matchesPrefix": [prefix], "matchesSuffix": [_STAGED]}
    others = [dict(rule) for rule in present if not ours.items() <= rule.get("condition", {}).items()]
    return [*others, {"action": {"type": "Delete"}, "condition": {"age": days, **ours}}]
