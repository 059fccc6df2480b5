"""Publishes an approved stage: load jobs replace a whole table or single business days, and nothing in between."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from datetime import date
from itertools import groupby

from google.cloud import bigquery

from etl.audit import Approved
from etl.errors import NOT_PUBLISHED, PublishFailed, worst_of
from etl.handoff import Published, Staged, StagedFile, manifest_digest
from etl.leases import Fence
from etl.storage import StageTarget
from etl.tables import ensure_table, time_partitioning
from etl.warehouse import Warehouse
from masking.errors import KagemushaError


def publish(approved: Approved, lease: Fence, warehouse: Warehouse, target: StageTarget) -> Published:
    """Loads the manifest's files, and only those, into BigQuery.

    Each destination — the table, or one partition of it — is replaced by one load job, which BigQuery commits whole or
    not at all: readers see the old rows until then. A business day without rows is emptied by its empty file.

    Raises:
        LeaseHeld: another run may publish the table now; this one's time was over.
        PublishRefused: the table differs destructively from its contract, or BigQuery refused the data.
        PublishFailed: a load job failed; its destination keeps its rows, a rerun replaces all of the window, and the
            error says how many others were replaced.
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
    jobs: list[tuple[bigquery.LoadJob, int]] = []
    failures: list[KagemushaError] = []
    for day, files in _destinations(staged):
        destination = warehouse.table_id(contract.publish) + (f"${day:%Y%m%d}" if day else "")
        try:
            lease.prove()
            job = warehouse.load(
                [target.uri(file.name) for file in files], destination, job_id(staged, day, files), config
            )
        except KagemushaError as error:
            failures.append(error)
            break
        jobs.append((job, sum(file.rows for file in files)))
    rows = 0
    done = []
    for job, expected in jobs:  # every job that was started is awaited: none may go on behind a later run's back
        try:
            rows += _finished(warehouse, job, expected, contract.table)
            done.append(str(job.job_id))
        except KagemushaError as error:
            failures.append(error)
    if failures:
        raise _partly(failures, done, len(staged.plan.partitions) or 1)
    return Published(rows, len(jobs), tuple(done), time.monotonic() - started)


def _finished(warehouse: Warehouse, job: bigquery.LoadJob, expected: int, table: str) -> int:
    loaded = warehouse.finish(job, table)
    if loaded != expected:
        raise PublishFailed(
            f"Load job {job.job_id} reports {loaded} rows, {expected} were staged.", not_done="The ledger says so."
        )
    return loaded


def _partly(failures: Sequence[KagemushaError], done: Sequence[str], destinations: int) -> KagemushaError:
    """Gives the worst failure, saying what was replaced all the same."""
    failure = worst_of(failures)
    not_done = (
        f"{len(done)} of {destinations} partitions were replaced; the others keep what they held."
        if done
        else NOT_PUBLISHED
    )
    return type(failure)(
        failure.what, not_done=not_done, advice=failure.todo, where={**failure.where, "jobs": ",".join(done)}
    )


def _destinations(staged: Staged) -> Iterable[tuple[date | None, list[StagedFile]]]:
    ordered = sorted(staged.files, key=lambda file: (file.partition or date.min, file.name))
    for day, files in groupby(ordered, key=lambda file: file.partition):
        yield day, list(files)


def job_id(staged: Staged, day: date | None, files: Iterable[StagedFile]) -> str:
    """Gives the load job's id: a function of table, partition and manifest, so a repeated try finds its own job."""
    return f"kagemusha_{staged.plan.table}_{f'{day:%Y%m%d}' if day else 'all'}_{manifest_digest(files)[:16]}"
