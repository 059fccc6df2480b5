"""BigQuery as the steps use it: one client, whose requests are sent again while their failures may pass.

Jobs are in `jobs.py`, statements that change rows in `dml.py`.
"""

from __future__ import annotations

import functools
import threading
from collections.abc import Iterator, Sequence
from contextlib import suppress
from typing import Final

import pyarrow as pa
from google.api_core import exceptions as google_errors
from google.api_core.client_options import ClientOptions
from google.cloud import bigquery

from etl.cloud.bigquery.dataset_access import lacking, wanted_entries
from etl.cloud.bigquery.failures import RETRY, TIMEOUT_SECONDS, translated
from etl.cloud.bigquery.parameters import Value, bound
from etl.cloud.google_login import google_credentials
from etl.errors import NOT_PUBLISHED, SettingsInvalid
from etl.settings import BigQuerySettings, GoogleSettings, Settings

_PROBE_RETRY: Final = RETRY.with_timeout(5)
_PAGE_ROWS: Final = 50_000
_GIB: Final = 2**30
_ANY_LOGIN: Final = GoogleSettings()
_GOOGLE: Final = "https://bigquery.googleapis.com"
"""Always named: otherwise a variable for emulators could lead requests, and our tokens, elsewhere."""


def quoted(column: str) -> str:
    """Quotes a column's name, which a contract has limited to letters, digits and underscores."""
    return f"`{column}`"


class Warehouse:
    """One BigQuery project in one location.

    Args:
        settings: where it is.
        login: how to log in.
    """

    def __init__(self, settings: BigQuerySettings, login: GoogleSettings = _ANY_LOGIN) -> None:
        self.settings = settings
        self._creating = threading.Lock()
        self._ensured: set[str] = set()
        self.client = bigquery.Client(
            project=settings.project,
            location=settings.location,
            credentials=google_credentials(login, settings.endpoint),
            client_options=ClientOptions(api_endpoint=settings.endpoint or _GOOGLE),
            # Of every query and statement that this client sends, whoever writes it.
            default_query_job_config=bigquery.QueryJobConfig(maximum_bytes_billed=int(settings.most_gib_billed * _GIB)),
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
        """Creates the dataset where it is missing, and gives access to those whom the settings name; once a process.

        Raises:
            SettingsInvalid: it exists in another location.
        """
        with self._creating:  # one at a time: tables of one new dataset are published side by side
            if name not in self._ensured:
                self._ensure(name)
                self._ensured.add(name)

    def _ensure(self, name: str) -> None:
        dataset = None
        with translated("A dataset could not be read or created"):
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

    def find_access(self, dataset: str) -> list[bigquery.AccessEntry] | None:
        """Returns who may use a dataset, as BigQuery itself says; None where there is no such dataset."""
        with translated("A dataset could not be read"):
            try:
                found = self.client.get_dataset(self.table_id(dataset), timeout=TIMEOUT_SECONDS, retry=RETRY)
                return list(found.access_entries)
            except google_errors.NotFound:
                pass
        return None

    def find_table(self, name: str) -> bigquery.Table | None:
        """Returns dataset.table as BigQuery describes it, or None."""
        with translated("A table could not be read"):
            try:
                return self.client.get_table(self.table_id(name), timeout=TIMEOUT_SECONDS, retry=RETRY)
            except google_errors.NotFound:
                pass
        return None

    def row_policies(self, name: str) -> frozenset[str]:
        """Returns the names of the row access policies of dataset.table, for which the client has no method.

        Raises:
            PublishRefused: this account may not list them.
            PublishFailed: BigQuery failed.
        """
        dataset, table = name.split(".")
        path = f"/projects/{self.settings.project}/datasets/{dataset}/tables/{table}/rowAccessPolicies"
        found: list[str] = []
        with translated("Row access policies could not be listed; bigquery.rowAccessPolicies.list allows it"):
            token = ""
            while token is not None:
                request = functools.partial(
                    self.client._connection.api_request,  # noqa: SLF001  the one way to its authorized session
                    method="GET",
                    path=path,
                    query_params={"pageToken": token} if token else {},
                    timeout=TIMEOUT_SECONDS,
                )
                answer = RETRY(request)()
                policies = answer.get("rowAccessPolicies", [])
                found += [policy["rowAccessPolicyReference"]["policyId"] for policy in policies]
                token = answer.get("nextPageToken")
        return frozenset(found)

    def table_grants(self, name: str) -> tuple[tuple[str, str], ...]:
        """Returns the (role, member) pairs that are granted on dataset.table itself."""
        with translated("Grants on a table could not be read"):
            policy = self.client.get_iam_policy(self.table_id(name), timeout=TIMEOUT_SECONDS, retry=RETRY)
        pairs = ((one["role"], member) for one in policy.bindings for member in one.get("members", ()))
        return tuple(sorted(pairs))

    def find_dataset(self, name: str) -> bigquery.Dataset | None:
        """Returns a dataset as BigQuery describes it, or None."""
        with translated("A dataset could not be read"), suppress(google_errors.NotFound):
            return self.client.get_dataset(name, timeout=TIMEOUT_SECONDS, retry=RETRY)
        return None

    def tables(self, what: str, dataset: str) -> list[bigquery.table.TableListItem]:
        """Returns the tables and views of a dataset, as its listing describes them; `what` says what failed."""
        with translated(what):
            return list(self.client.list_tables(dataset, timeout=TIMEOUT_SECONDS, retry=RETRY))

    def has_tables(self, dataset: str, prefix: str) -> bool:
        """Tells whether project.dataset is there and has a table whose name begins so."""
        with translated("A dataset could not be read"), suppress(google_errors.NotFound):
            listed = self.client.list_tables(dataset, timeout=TIMEOUT_SECONDS, retry=RETRY)
            return any(table.table_id.startswith(prefix) for table in listed)
        return False

    def create_table(self, what: str, table: bigquery.Table, not_done: str = NOT_PUBLISHED) -> bigquery.Table:
        """Creates a table or view, unless it is there; returns it as it now is. `what` says what failed."""
        with translated(what, not_done):
            return self.client.create_table(table, exists_ok=True, timeout=TIMEOUT_SECONDS, retry=RETRY)

    def update_table(
        self, what: str, table: bigquery.Table, changed: Sequence[str], not_done: str = NOT_PUBLISHED
    ) -> bigquery.Table:
        """Changes what is named of a table or view; returns it as it now is. `what` says what failed."""
        with translated(what, not_done):
            return self.client.update_table(table, list(changed), timeout=TIMEOUT_SECONDS, retry=RETRY)

    def drop_table(self, what: str, name: str, not_done: str = NOT_PUBLISHED) -> None:
        """Removes project.dataset.table, if it is there; `what` says what failed."""
        with translated(what, not_done):
            self.client.delete_table(name, not_found_ok=True, timeout=TIMEOUT_SECONDS, retry=RETRY)

    def rows(self, what: str, sql: str, /, *, not_done: str = NOT_PUBLISHED, **parameters: Value) -> list[bigquery.Row]:
        """Returns the rows of a query of ours; memory holds all of them.

        Args:
            what: says what failed, should it fail.
            sql: a SELECT, in which `@name` is the value of a parameter.
            not_done: says what did not happen then.
            parameters: the named ones, each of the type that its value has.

        Raises:
            PublishRefused: the query is not allowed or wrong.
            PublishFailed: BigQuery failed.
            TypeError: a value is of a type that no parameter has.
        """
        config = bigquery.QueryJobConfig(query_parameters=bound(parameters))
        with translated(what, not_done):
            # Its own way to run a failed query again would go on for 40 minutes.
            return list(
                self.client.query_and_wait(
                    sql, job_config=config, api_timeout=TIMEOUT_SECONDS, retry=RETRY, job_retry=RETRY
                )
            )

    def bytes_of(self, what: str, sql: str, not_done: str) -> int:
        """Returns how many bytes a query would read; BigQuery plans it, and reads nothing.

        Raises:
            PublishRefused: the query is wrong or not allowed.
            PublishFailed: BigQuery failed.
        """
        config = bigquery.QueryJobConfig(dry_run=True, use_query_cache=False)
        with translated(what, not_done):
            planned = self.client.query(sql, job_config=config, timeout=TIMEOUT_SECONDS, retry=RETRY, job_retry=None)
            return int(planned.total_bytes_processed or 0)

    def batches(self, sql: str) -> Iterator[pa.RecordBatch]:
        """Yields the rows of a query page by page; memory holds one page.

        Raises:
            PublishRefused: the query is not allowed or wrong.
            PublishFailed: BigQuery failed.
        """
        with translated("Published rows could not be read"):
            rows = self.client.query_and_wait(
                sql, page_size=_PAGE_ROWS, api_timeout=TIMEOUT_SECONDS, retry=RETRY, job_retry=RETRY
            )
            yield from rows.to_arrow_iterable()
