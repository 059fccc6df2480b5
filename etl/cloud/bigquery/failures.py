"""What failures of BigQuery mean: which are sent again, and which error of ours takes their place.

Messages of BigQuery can quote rows; only reason codes and job ids are repeated.
"""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import Final
from urllib.parse import urlsplit

from google.api_core import exceptions as google_errors
from google.api_core.retry import Retry
from google.auth.exceptions import GoogleAuthError, TransportError
from requests import exceptions as http_errors

from etl.cloud.failures import must_change, replacing
from etl.cloud.google_login import login_failure
from etl.errors import NOT_PUBLISHED, PublishFailed, PublishRefused
from masking.errors import KagemushaError

TIMEOUT_SECONDS: Final = 60
PASSING_REASONS: Final = frozenset(
    {
        "rateLimitExceeded", "jobRateLimitExceeded", "quotaExceeded", "backendError", "jobBackendError",
        "internalError", "jobInternalError", "badGateway", "tableUnavailable",
    }
)  # fmt: skip
"""What BigQuery says of failures that pass by themselves (BigQuery documentation, "Error messages")."""
_BROKEN_OFF: Final = (
    google_errors.TooManyRequests,
    google_errors.ServerError,
    TransportError,
    ConnectionError,
    http_errors.ConnectionError,
    http_errors.Timeout,
    http_errors.ChunkedEncodingError,
)
_NEVER_PASSING: Final = (google_errors.MethodNotImplemented, http_errors.SSLError)
_FAILURES: Final = (google_errors.GoogleAPIError, GoogleAuthError, http_errors.RequestException, OSError)


def _may_pass(error: BaseException) -> bool:
    """Tells whether a request may succeed when it is sent again."""
    return _reason(error) in PASSING_REASONS or (
        isinstance(error, _BROKEN_OFF) and not isinstance(error, _NEVER_PASSING)
    )


RETRY: Final = Retry(predicate=_may_pass, initial=1.0, maximum=20.0, multiplier=2.0, timeout=60.0)
"""How requests are sent again: with growing pauses and jitter, for a minute; never what cannot pass."""


def translated(what: str, not_done: str = NOT_PUBLISHED) -> AbstractContextManager[None]:
    """Turns failures of the BigQuery client inside the block into ours, without their messages."""
    return replacing(_FAILURES, lambda error: login_failure(error) or _ours(error, what, not_done))


def _ours(error: BaseException, what: str, not_done: str) -> KagemushaError:
    reason = _reason(error)
    if reason in PASSING_REASONS or not must_change(getattr(error, "code", None), ours=_asked_for_a_job(error)):
        return PublishFailed(f"{what} ({reason}).", not_done=not_done)
    return PublishRefused(
        f"{what} ({reason}).",
        not_done=not_done,
        advice="Read the job in BigQuery by its id; check grants and settings.",
    )


def _asked_for_a_job(error: BaseException) -> bool:
    """Tells whether a job was asked for by its id: BigQuery had taken it, and does not know it any more."""
    url = str(getattr(getattr(error, "response", None), "url", ""))
    return "/jobs/" in urlsplit(url).path or "not found: job" in str(error).casefold()


def _reason(error: BaseException) -> str:
    errors = getattr(error, "errors", None)
    if errors and isinstance(errors[0], dict) and errors[0].get("reason"):
        return str(errors[0]["reason"])
    return type(error).__name__
