"""Publishes an approved stage: load jobs replace a whole table or single business days, and nothing in between."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterable
from datetime import date
from itertools import groupby
from typing import Final

from google.cloud import bigquery

from etl.audit import Approved
from etl.errors import NOT_PUBLISHED, PublishFailed, PublishRefused
from etl.handoff import Published, Staged, StagedFile
from etl.storage import StageTarget
from etl.tables import ensure_table, time_partitioning
from etl.warehouse import Warehouse

MAX_URIS: Final = 10_000
"""Source URIs of one load job (BigQuery, quotas and limits)."""


def publish(approved: Approved, warehouse: Warehouse, target: StageTarget) -> Published:
    """Loads the manifest's files, and only those, into BigQuery.

    Each destination — the table, or one partition of it — is replaced by one load job, which BigQuery commits whole or
    not at all: readers see the old rows until then. A business day without rows is emptied by its empty file.

    Raises:
        PublishRefused: the table differs destructively from its contract, or BigQuery refused the data.
        PublishFailed: a load job failed; its destination keeps its rows, and a rerun replaces all of the window.
    """
    started = time.monotonic()
    staged = approved.staged
    contract = staged.plan.contract
    table = ensure_table(warehouse, contract)
    config = bigquery.LoadJobConfig(
        source_format=bigquery.SourceFormat.PARQUET,
        write_disposition=bigquery.WriteDisposition.WRITE_TRUNCATE,
        create_disposition=bigquery.CreateDisposition.CREATE_NEVER,
        schema=table.schema,
        time_partitioning=time_partitioning(contract),
        clustering_fields=list(contract.cluster_by) or None,
        labels={"managed_by": "kagemusha", "table": contract.table[:63]},
    )
    jobs = []
    for day, files in _destinations(staged):
        uris = [target.uri(file.name) for file in files]
        if len(uris) > MAX_URIS:
            raise PublishRefused(
                f"{len(uris)} files for one load job; BigQuery takes {MAX_URIS}.",
                not_done=NOT_PUBLISHED,
                advice="Raise [source].slice_mib.",
                where={"table": contract.table},
            )
        destination = warehouse.table_id(contract.publish) + (f"${day:%Y%m%d}" if day else "")
        job = warehouse.load(uris, destination, job_id(staged, day, files), config)
        jobs.append((job, sum(file.rows for file in files)))
    rows = 0
    for job, expected in jobs:
        loaded = warehouse.finish(job, contract.table)
        if loaded != expected:
            raise PublishFailed(
                f"Load job {job.job_id} reports {loaded} rows, {expected} were staged.",
                not_done="The ledger does not call this table published.",
                where={"table": contract.table},
            )
        rows += loaded
    return Published(rows, len(jobs), tuple(job.job_id for job, _ in jobs), time.monotonic() - started)


def _destinations(staged: Staged) -> Iterable[tuple[date | None, list[StagedFile]]]:
    ordered = sorted(staged.files, key=lambda file: (file.partition or date.min, file.name))
    for day, files in groupby(ordered, key=lambda file: file.partition):
        yield day, list(files)


def job_id(staged: Staged, day: date | None, files: Iterable[StagedFile]) -> str:
    """Gives the load job's id: a function of table, partition and manifest, so a repeated try finds its own job."""
    manifest = "\n".join(f"{file.name} {file.generation} {file.crc32c}" for file in files)
    digest = hashlib.sha256(manifest.encode()).hexdigest()[:16]
    return f"kagemusha_{staged.plan.table}_{f'{day:%Y%m%d}' if day else 'all'}_{digest}"
