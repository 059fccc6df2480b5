"""BigQuery as the steps use it: one client with bounded retries, load jobs with ids of their own.

Messages of BigQuery can quote rows; only reason codes and job ids are repeated.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Final

import pyarrow as pa
from google.api_core import exceptions as google_errors
from google.api_core.client_options import ClientOptions
from google.auth.exceptions import GoogleAuthError
from google.cloud import bigquery
from google.cloud.bigquery.retry import DEFAULT_RETRY
from requests import exceptions as http_errors

from etl.errors import NOT_PUBLISHED, PublishFailed, PublishRefused, SettingsInvalid
from etl.google_auth import google_credentials, login_failure
from etl.settings import BigQuery, Google, Settings
from masking.errors import KagemushaError

TIMEOUT_SECONDS: Final = 60
RETRY: Final = DEFAULT_RETRY.with_timeout(60)
_PROBE_RETRY: Final = DEFAULT_RETRY.with_timeout(5)
_JOB_SECONDS: Final = 3600
_PAGE_ROWS: Final = 50_000
_PERMANENT: Final = frozenset({"invalid", "invalidQuery", "accessDenied", "notFound", "responseTooLarge", "duplicate"})
_ANY_LOGIN: Final = Google()
_FAILURES: Final = (google_errors.GoogleAPIError, GoogleAuthError, http_errors.RequestException, OSError)


class Warehouse:
    """One BigQuery project in one location.

    Args:
        settings: where it is.
        login: how to log in.
    """

    def __init__(self, settings: BigQuery, login: Google = _ANY_LOGIN) -> None:
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
        """Gives the project that the settings name, logged in as they say."""
        return cls(settings.bigquery, settings.google)

    def table_id(self, name: str) -> str:
        """Gives project.dataset.table for dataset.table."""
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
        """Creates the dataset where it is missing.

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
                dataset = self.client.create_dataset(wanted, exists_ok=True, timeout=TIMEOUT_SECONDS, retry=RETRY)
        if dataset.location and dataset.location.lower() != self.settings.location.lower():
            raise SettingsInvalid(
                f"Dataset {name} is in {dataset.location}, the settings say {self.settings.location}.",
                not_done=NOT_PUBLISHED,
                advice="Correct [bigquery].location; a dataset cannot move.",
            )

    def find_table(self, name: str) -> bigquery.Table | None:
        """Gives dataset.table as BigQuery describes it, or None."""
        with translated("A table could not be read"):
            try:
                return self.client.get_table(self.table_id(name), timeout=TIMEOUT_SECONDS, retry=RETRY)
            except google_errors.NotFound:
                pass
        return None

    def batches(self, sql: str) -> Iterator[pa.RecordBatch]:
        """Gives the rows of a query page by page; memory holds one page.

        Raises:
            PublishRefused: the query is not allowed or wrong.
            PublishFailed: BigQuery failed.
        """
        with translated("Published rows could not be read"):
            rows = self.client.query_and_wait(sql, page_size=_PAGE_ROWS, api_timeout=TIMEOUT_SECONDS, retry=RETRY)
            yield from rows.to_arrow_iterable()

    def load(
        self, uris: Sequence[str], destination: str, job_id: str, config: bigquery.LoadJobConfig
    ) -> bigquery.LoadJob:
        """Starts a load job under a fixed id, or adopts the job that an earlier request started under it.

        The id follows from the manifest, so the only earlier request is one whose answer was lost on the way.
        """
        with translated("A load job could not be started"):
            try:
                return self.client.load_table_from_uri(
                    list(uris), destination, job_id=job_id, job_config=config, timeout=TIMEOUT_SECONDS, retry=RETRY
                )
            except google_errors.Conflict:
                pass
            location = self.settings.location
            job = self.client.get_job(job_id, location=location, timeout=TIMEOUT_SECONDS, retry=RETRY)
            if not isinstance(job, bigquery.LoadJob):
                raise google_errors.Conflict("another kind of job has this id")
            return job

    def finish(self, job: bigquery.LoadJob, table: str) -> int:
        """Waits for a load job; gives its output rows.

        Raises:
            PublishRefused: BigQuery refused the data or the request; trying again cannot help.
            PublishFailed: it failed for another reason.
        """
        with translated(f"Load job {job.job_id} of {table} failed"):
            try:
                job.result(timeout=_JOB_SECONDS, retry=RETRY)
            except TimeoutError:
                job.cancel(timeout=TIMEOUT_SECONDS, retry=RETRY)  # it must not overwrite what a later run loads
                raise
        return int(job.output_rows or 0)


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
