"""BigQuery as the steps use it: one client with bounded retries; jobs are in `jobs.py`.

Messages of BigQuery can quote rows; only reason codes and job ids are repeated.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Final

import pyarrow as pa
from google.api_core import exceptions as google_errors
from google.api_core.client_options import ClientOptions
from google.api_core.retry import Retry
from google.auth.exceptions import GoogleAuthError, TransportError
from google.cloud import bigquery
from requests import exceptions as http_errors

from etl.cloud.bigquery.dataset_access import lacking, wanted_entries
from etl.cloud.google_login import google_credentials, login_failure
from etl.errors import NOT_PUBLISHED, PublishFailed, PublishRefused, SettingsInvalid
from etl.settings import BigQuerySettings, GoogleSettings, Settings
from masking.errors import KagemushaError


def quoted(column: str) -> str:
    """Quotes a column's name, which a contract has limited to letters, digits and underscores."""
    return f"`{column}`"


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


def _may_pass(error: BaseException) -> bool:
    """Tells whether a request may succeed when it is sent again."""
    return _reason(error) in PASSING_REASONS or (
        isinstance(error, _BROKEN_OFF) and not isinstance(error, _NEVER_PASSING)
    )


RETRY: Final = Retry(predicate=_may_pass, initial=1.0, maximum=20.0, multiplier=2.0, timeout=60.0)
"""How requests are sent again: with growing pauses and jitter, for a minute; never what cannot pass."""
_PROBE_RETRY: Final = RETRY.with_timeout(5)
_PAGE_ROWS: Final = 50_000
_PERMANENT: Final = frozenset({"invalid", "invalidQuery", "accessDenied", "notFound", "responseTooLarge", "duplicate"})
_ANY_LOGIN: Final = GoogleSettings()
_FAILURES: Final = (google_errors.GoogleAPIError, GoogleAuthError, http_errors.RequestException, OSError)


class Warehouse:
    """One BigQuery project in one location.

    Args:
        settings: where it is.
        login: how to log in.
    """

    def __init__(self, settings: BigQuerySettings, login: GoogleSettings = _ANY_LOGIN) -> None:
        self.settings = settings
        self._creating = threading.Lock()
        local = settings.endpoint is not None
        self.client = bigquery.Client(
            project=settings.project,
            location=settings.location,
            credentials=google_credentials(login, settings.endpoint),
            client_options=ClientOptions(api_endpoint=settings.endpoint) if local else None,
        )

    @classmethod
    def of(cls, settings: Settings) -> Warehouse:
        """Returns the project that the settings name, logged in as they say."""
        return cls(settings.bigquery, settings.google)

    def table_id(self, name: str) -> str:
        """Returns project.dataset.table for dataset.table."""
        return f"{self.settings.project}.{name}"

    def check(self) -> None:
        """Proves that BigQuery answers.

        Raises:
            PublishFailed: it does not.
            PublishRefused: the project is missing or the job may not use it.
        """
        with translated("BigQuery did not answer"):
            list(self.client.list_datasets(max_results=1, timeout=10, retry=_PROBE_RETRY))

    def ensure_dataset(self, name: str) -> None:
        """Creates the dataset where it is missing, and gives access to those whom the settings name.

        Raises:
            SettingsInvalid: it exists in another location.
        """
        dataset = None
        # One at a time: tables of one new dataset are published side by side.
        with self._creating, translated("A dataset could not be read or created"):
            with suppress(google_errors.NotFound):
                dataset = self.client.get_dataset(name, timeout=TIMEOUT_SECONDS, retry=RETRY)
            if dataset is None:
                wanted = bigquery.Dataset(f"{self.settings.project}.{name}")
                wanted.location = self.settings.location
                wanted.labels = {"managed_by": "kagemusha"}
                if self.settings.kms_key:
                    key = bigquery.EncryptionConfiguration(kms_key_name=self.settings.kms_key)
                    wanted.default_encryption_configuration = key
                dataset = self.client.create_dataset(wanted, exists_ok=True, timeout=TIMEOUT_SECONDS, retry=RETRY)
            missing = lacking(dataset.access_entries, wanted_entries(self.settings, name))
            if missing:
                dataset.access_entries = [*dataset.access_entries, *missing]
                dataset = self.client.update_dataset(dataset, ["access_entries"], timeout=TIMEOUT_SECONDS, retry=RETRY)
        if dataset.location and dataset.location.lower() != self.settings.location.lower():
            raise SettingsInvalid(
                f"Dataset {name} is in {dataset.location}, the settings say {self.settings.location}.",
                not_done=NOT_PUBLISHED,
                advice="Correct [bigquery].location; a dataset cannot move.",
            )

    def find_table(self, name: str) -> bigquery.Table | None:
        """Returns dataset.table as BigQuery describes it, or None."""
        with translated("A table could not be read"):
            try:
                return self.client.get_table(self.table_id(name), timeout=TIMEOUT_SECONDS, retry=RETRY)
            except google_errors.NotFound:
                pass
        return None

    def batches(self, sql: str) -> Iterator[pa.RecordBatch]:
        """Yields the rows of a query page by page; memory holds one page.

        Raises:
            PublishRefused: the query is not allowed or wrong.
            PublishFailed: BigQuery failed.
        """
        with translated("Published rows could not be read"):
            rows = self.client.query_and_wait(sql, page_size=_PAGE_ROWS, api_timeout=TIMEOUT_SECONDS, retry=RETRY)
            yield from rows.to_arrow_iterable()


@contextmanager
def translated(what: str, not_done: str = NOT_PUBLISHED) -> Iterator[None]:
    """Turns failures of the BigQuery client inside the block into ours, without their messages."""
    failure: KagemushaError | None = None
    try:
        yield
    except _FAILURES as error:
        failure = login_failure(error) or _ours(error, what, not_done)
    if failure is not None:
        try:
            raise failure
        finally:
            failure.__context__ = None  # the with statement still handles the client's error, so it would stay attached


def _ours(error: BaseException, what: str, not_done: str) -> KagemushaError:
    reason = _reason(error)
    if reason not in _PERMANENT:
        return PublishFailed(f"{what} ({reason}).", not_done=not_done)
    return PublishRefused(
        f"{what} ({reason}).",
        not_done=not_done,
        advice="Read the job in BigQuery by its id; check grants and settings.",
    )


def _reason(error: BaseException) -> str:
    errors = getattr(error, "errors", None)
    if errors and isinstance(errors[0], dict) and errors[0].get("reason"):
        return str(errors[0]["reason"])
    return type(error).__name__
