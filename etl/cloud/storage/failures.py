"""What failures of Cloud Storage mean: how requests are sent again, and which error of ours takes their place."""

from __future__ import annotations

from contextlib import AbstractContextManager
from http import HTTPStatus
from typing import ClassVar, Final
from urllib.parse import urlsplit

from google.api_core import exceptions as google_errors
from google.auth.exceptions import GoogleAuthError
from google.cloud.storage.exceptions import DataCorruption, InvalidResponse
from google.cloud.storage.retry import DEFAULT_RETRY
from requests import exceptions as http_errors

from etl.cloud.failures import must_change, replacing
from etl.cloud.google_login import login_failure
from etl.errors import NOT_PUBLISHED, TRANSIENT, BucketMissing
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


class StorageUnavailable(KagemushaError):
    """Cloud Storage did not take or give an object."""

    advice = "Run again; staged objects of this run are never published."
    exit_code: ClassVar[int] = TRANSIENT


class ObjectMissing(StorageUnavailable):
    """An object is not there; whoever asks for one that a person names says so in its own words."""


def translated_storage(bucket: str, action: str) -> AbstractContextManager[None]:
    """Turns failures of the storage client inside the block into ours, without their messages.

    Args:
        bucket: the bucket's name.
        action: what storage was asked to do, as in "Cloud Storage did not read an object."
    """
    return replacing(FAILURES, lambda error: login_failure(error) or _ours(error, bucket, action))


def _ours(error: BaseException, bucket: str, action: str) -> KagemushaError:
    where = {"bucket": bucket, "error": type(error).__name__}
    status, ours = _status(error), _asked_for_an_object(error)
    if must_change(status, ours=ours):
        return BucketMissing(
            f"Cloud Storage would not {action}: missing or forbidden.", not_done=NOT_PUBLISHED, where=where
        )
    missing = ours and status == HTTPStatus.NOT_FOUND
    kind = ObjectMissing if missing else StorageUnavailable
    return kind(f"Cloud Storage did not {action}.", not_done=NOT_PUBLISHED, where=where)


def _status(error: BaseException) -> int | None:
    """Returns the HTTP status of an answer; None where there was none."""
    if isinstance(error, InvalidResponse):
        return int(error.response.status_code)
    return getattr(error, "code", None)


def _asked_for_an_object(error: BaseException) -> bool:
    """Tells whether an object was asked for by its name, or a part of its upload was sent."""
    url = urlsplit(str(getattr(getattr(error, "response", None), "url", "")))
    return "/o/" in url.path or "upload_id=" in url.query
