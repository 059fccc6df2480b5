"""The ledger: what ran, in BigQuery's `ops` dataset, append-only but for leases, and a report next to the staged files.

It holds names, counts, sums of published columns, hashes and times; no value of a row but the masked keys of those in
quarantine.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from functools import partial
from itertools import islice
from typing import Final

from google.api_core import exceptions as google_errors
from google.cloud import bigquery

from etl.cloud.bigquery import RETRY, TIMEOUT_SECONDS, Value, Warehouse, translated
from etl.cloud.storage import StagingBucket
from etl.errors import NOT_PUBLISHED
from etl.ledger.tables import AUDITS, AUDITS_ABOUT, BY_NAME, TABLE_LOADS, TABLES, LedgerTable, audits_sql
from etl.ledger.together import Together
from etl.retries import pauses
from etl.settings import Settings

Row = Mapping[str, object]

_TRIES: Final = 3
_FIRST_PAUSE_SECONDS: Final = 0.5
_JOB_SECONDS: Final = 300
_UNRECORDED: Final = "What the run did stands, unrecorded."


class Ledger:
    """Appends what ran; nothing is ever changed in it."""

    def __init__(self, warehouse: Warehouse) -> None:
        self.warehouse = warehouse
        self._together = {name: Together(partial(self.append, name)) for name in BY_NAME}

    @classmethod
    def of(cls, settings: Settings) -> Ledger:
        """Returns the ledger that the settings name, with every table and column that it needs.

        Raises:
            PublishFailed, PublishRefused: BigQuery did not answer, or may not be used.
            SettingsInvalid: its dataset is in another location.
        """
        ledger = cls(Warehouse.of(settings))
        ledger.ensure()
        return ledger

    def table_id(self, name: str) -> str:
        """Returns project.dataset.table of a table of the ledger."""
        return self.warehouse.table_id(f"{self.warehouse.settings.ops_dataset}.{name}")

    def ensure(self) -> None:
        """Creates the ledger's dataset, tables and view where they are missing, and adds columns to older ones."""
        dataset = self.warehouse.settings.ops_dataset
        self.warehouse.ensure_dataset(dataset)
        listed = self.warehouse.tables("The ledger's tables could not be listed", dataset)
        shapes = {item.table_id: item.labels.get("shape") for item in listed}
        ending = {item.table_id for item in listed if item.expires is not None}
        for table in TABLES:
            if shapes.get(table.name) != table.shape or table.name in ending:
                self._shape(table, exists=table.name in shapes)
        self._view(shapes.get(AUDITS, "missing"))

    def _view(self, shape: str | None) -> None:
        view = bigquery.Table(self.table_id(AUDITS))
        view.view_query = audits_sql(self.table_id(TABLE_LOADS.name))
        view.description = AUDITS_ABOUT
        wanted = hashlib.sha256(view.view_query.encode()).hexdigest()[:16]
        view.labels = {"managed_by": "kagemusha", "shape": wanted}
        if shape == wanted:
            return
        failed = "The ledger's view of audits could not be created"
        if shape == "missing":
            self.warehouse.create_table(failed, view)
        else:
            self.warehouse.update_table(failed, view, ["view_query", "labels"])

    def _shape(self, wanted: LedgerTable, *, exists: bool) -> None:
        failed = "A ledger table could not be created or extended"
        present = self.warehouse.find_table(f"{self.warehouse.settings.ops_dataset}.{wanted.name}") if exists else None
        table = present or bigquery.Table(self.table_id(wanted.name))
        table.schema = _merged(table.schema, wanted.fields)
        table.description = wanted.about
        table.labels = {**table.labels, "managed_by": "kagemusha", "shape": wanted.shape}
        if present is None:
            if wanted.partitioned:
                table.time_partitioning = bigquery.TimePartitioning("DAY", field="at")
            table.clustering_fields = list(wanted.cluster_by) or None
            present = self.warehouse.create_table(failed, table)
            if present.expires is None:
                return
        # Its layout stays: BigQuery cannot change how a table is partitioned. No default of the dataset lets it end.
        table.expires = None
        self.warehouse.update_table(failed, table, ["schema", "description", "labels", "expires"])

    def append(self, name: str, rows: Sequence[Row]) -> None:
        """Appends rows to one of the ledger's tables in one load job: all of them or none, and never twice.

        The job's id is a digest of the rows: a request whose answer was lost finds its own job. Only a job that has
        failed for good is followed by another, under an id of its own.
        """
        fields = BY_NAME[name].fields
        plain = [{field.name: _plain(row.get(field.name), field) for field in fields} for row in rows]
        digest = hashlib.sha256(json.dumps([name, plain], sort_keys=True).encode()).hexdigest()[:32]
        waits = islice(pauses(_FIRST_PAUSE_SECONDS, factor=4.0), _TRIES)
        with translated(f"The ledger's {name} could not be written", _UNRECORDED):
            for number, pause in enumerate(waits):
                job = self._started(name, plain, f"kagemusha_ledger_{name}_{digest}_{number}")
                try:
                    job.result(timeout=_JOB_SECONDS, retry=RETRY)
                except google_errors.GoogleAPICallError:
                    if number + 1 == _TRIES or not (job.state == "DONE" and job.error_result):
                        raise
                else:
                    return
                time.sleep(pause)

    def append_one(self, name: str, row: Row) -> None:
        """Appends one row, as `append` does; rows of other threads that wait meanwhile go into the same load job."""
        self._together[name].ask(row)

    def _started(self, name: str, rows: list[dict[str, object]], job_id: str) -> bigquery.LoadJob:
        client = self.warehouse.client
        config = bigquery.LoadJobConfig(
            schema=list(BY_NAME[name].fields),
            write_disposition=bigquery.WriteDisposition.WRITE_APPEND,
            schema_update_options=[bigquery.SchemaUpdateOption.ALLOW_FIELD_ADDITION],
            labels={"managed_by": "kagemusha"},
        )
        try:
            return client.load_table_from_json(
                rows, self.table_id(name), job_id=job_id, job_config=config, timeout=TIMEOUT_SECONDS
            )
        except google_errors.Conflict:
            pass
        location = self.warehouse.settings.location
        job = client.get_job(job_id, location=location, timeout=TIMEOUT_SECONDS, retry=RETRY)
        if not isinstance(job, bigquery.LoadJob):
            raise google_errors.Conflict("another kind of job has this id")
        return job

    def read(self, sql: str, /, **parameters: Value) -> list[bigquery.Row]:
        """Returns the rows of a query of ours over the ledger; see `Warehouse.rows`."""
        return self.warehouse.rows("The ledger could not be read", sql, not_done=NOT_PUBLISHED, **parameters)


def write_report(stage: StagingBucket, run_id: str, report: Mapping[str, object]) -> str:
    """Writes the run report next to the staged files; returns its object name."""
    name = f"{stage.target.prefix}/{run_id}/report.json"
    text = json.dumps(report, ensure_ascii=False, indent=2, default=str)
    stage.write(name, text.encode(), "application/json")
    return name


def _merged(
    present: Sequence[bigquery.SchemaField], wanted: Sequence[bigquery.SchemaField]
) -> list[bigquery.SchemaField]:
    """Returns the columns that a table has, with today's descriptions, and after them the new ones."""
    by_name = {field.name: field for field in wanted}
    known = {field.name for field in present}
    return [by_name.get(field.name, field) for field in present] + [one for one in wanted if one.name not in known]


def _plain(value: object, field: bigquery.SchemaField) -> object:
    if field.mode == "REPEATED":
        return [_plain_item(item, field) for item in (value if isinstance(value, list | tuple) else ())]
    return _plain_item(value, field)


def _plain_item(value: object, field: bigquery.SchemaField) -> object:
    if isinstance(value, Mapping):
        if field.field_type == "RECORD":
            return {one.name: _plain(value.get(one.name), one) for one in field.fields}
        return json.dumps({str(key): str(item) for key, item in value.items()}, ensure_ascii=False, sort_keys=True)
    if isinstance(value, list | tuple):
        return json.dumps([str(item) for item in value], ensure_ascii=False)
    if isinstance(value, date | datetime):
        return value.isoformat()
    return value
