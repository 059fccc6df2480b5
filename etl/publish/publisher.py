"""Publishes an approved stage: a whole table or single business days are replaced, or changed rows are merged."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from datetime import date
from itertools import groupby
from typing import ClassVar, Final

from google.cloud import bigquery

from etl.audit import Approved
from etl.cloud.bigquery import Warehouse, load
from etl.cloud.storage import StagingLocation
from etl.errors import NOT_PUBLISHED, TRANSIENT, PublishFailed, worst_of
from etl.ledger import LeaseProof
from etl.publish.limits import refuse_beyond_limits
from etl.publish.merge import merge
from etl.publish.published import Published
from etl.publish.tables import ensure_table, load_config, time_partitioning
from etl.stage import Staged, StagedFile, changed_files, manifest_digest
from masking.errors import KagemushaError

_LOADS_AT_ONCE: Final = 16
"""Partitions of one table that are loaded side by side; BigQuery takes 50 changes of partitions in ten seconds."""


class StageChanged(KagemushaError):
    """Between audit and publishing, somebody else replaced or removed staged files."""

    advice = "Run again; if it repeats, find out who else writes to the staging bucket."
    exit_code: ClassVar[int] = TRANSIENT


@dataclass(frozen=True)
class _Destination:
    """The whole table, or one day of it, and the files that replace it."""

    day: date | None
    files: tuple[StagedFile, ...]


@dataclass(frozen=True)
class Publisher:
    """Publishes what an audit approved.

    Attributes:
        warehouse: where tables go.
        location: where staged files are.
        accepted_deletes: how many rows a merge may delete beyond what its contract lets one run delete.
    """

    warehouse: Warehouse
    location: StagingLocation
    accepted_deletes: int = 0

    def publish(self, approved: Approved, lease: LeaseProof, keys: Approved | None = None) -> Published:
        """Loads the manifest's files, and only those, into BigQuery.

        Each destination — the table, or one partition of it — is replaced by one load job, which BigQuery commits whole
        or not at all: readers see the old rows until then. A business day without rows is emptied by its empty file.
        Changed rows are merged by one statement instead.

        Args:
            approved: the stage and the proof that it may be published.
            lease: proves before each job that no other run publishes the table now.
            keys: every key of the source, where a merge also looks for rows that are gone.

        Raises:
            LeaseHeld: another run may publish the table now; this one's time was over.
            StageChanged: storage no longer holds what the audit approved.
            PublishRefused: the table differs destructively from its contract, a limit is exceeded, or BigQuery refused
                the data.
            PublishFailed: a load job failed; its destination keeps its rows, a rerun replaces all of the window, and
                the error says how many others were replaced.
        """
        staged = approved.staged
        refuse_beyond_limits(staged)
        table = ensure_table(self.warehouse, staged.plan.contract)
        for stage in (staged, *([keys.staged] if keys else [])):
            _refuse_changed_files(stage, self.location)
        if staged.plan.merges:
            compared = keys.staged if keys else None
            return merge(staged, compared, table, lease, self.warehouse, self.location, self.accepted_deletes)
        return self._replace(staged, table, lease)

    def _replace(self, staged: Staged, table: bigquery.Table, lease: LeaseProof) -> Published:
        """Replaces the table, or each of its days that was staged."""
        started, destinations = time.monotonic(), _destinations(staged)
        outcomes = self._replaced(staged, destinations, table, lease)
        done = [one for one in outcomes if isinstance(one, bigquery.LoadJob)]
        failures = [one for one in outcomes if isinstance(one, KagemushaError)]
        job_ids = tuple(str(job.job_id) for job in done)
        if failures:
            raise _partly(failures, job_ids, len(destinations))
        rows = sum(int(job.output_rows or 0) for job in done)
        compared = staged.rows if staged.plan.changes else None  # a whole table has all keys that there are
        return Published(rows, len(done), job_ids, time.monotonic() - started, keys_compared=compared)

    def _replaced(
        self, staged: Staged, destinations: Sequence[_Destination], table: bigquery.Table, lease: LeaseProof
    ) -> list[bigquery.LoadJob | KagemushaError | None]:
        """Loads all destinations, several at once; none is begun after a failure, and every one begun is awaited."""
        contract, failed = staged.plan.contract, threading.Event()
        config = load_config(contract, table)
        config.time_partitioning = time_partitioning(contract)
        config.clustering_fields = list(contract.cluster_by) or None

        def replaced(one: _Destination) -> bigquery.LoadJob | KagemushaError | None:
            if failed.is_set():
                return None
            name = self.warehouse.table_id(contract.publish) + (f"${one.day:%Y%m%d}" if one.day else "")
            uris = [self.location.uri(file.name) for file in one.files]
            try:
                job = load(self.warehouse, uris, name, job_id(staged, one.day, one.files), config, lease.prove)
                _refuse_other_rows(job, sum(file.rows for file in one.files))
            except KagemushaError as error:
                failed.set()
                return error
            return job

        with ThreadPoolExecutor(_LOADS_AT_ONCE, thread_name_prefix="load") as pool:
            pending: list[Future[bigquery.LoadJob | KagemushaError | None]] = [
                pool.submit(replaced, one) for one in destinations
            ]
        return [one.result() for one in pending]


def _refuse_changed_files(staged: Staged, location: StagingLocation) -> None:
    """Looks once more just before loading: BigQuery reads names, not the generations that were audited."""
    wrong = changed_files(staged, location)
    if wrong:
        raise StageChanged(
            f"{wrong} of {len(staged.files)} staged files are not what the audit approved.", not_done=NOT_PUBLISHED
        )


def _refuse_other_rows(job: bigquery.LoadJob, expected: int) -> None:
    loaded = int(job.output_rows or 0)
    if loaded != expected:
        raise PublishFailed(
            f"Load job {job.job_id} reports {loaded} rows, {expected} were staged.", not_done="The ledger says so."
        )


def _partly(failures: Sequence[KagemushaError], done: Sequence[str], destinations: int) -> KagemushaError:
    """Returns the worst failure, saying what was replaced all the same."""
    failure = worst_of(failures)
    not_done = (
        f"{len(done)} of {destinations} partitions were replaced; the others keep what they held."
        if done
        else NOT_PUBLISHED
    )
    return type(failure)(
        failure.what, not_done=not_done, advice=failure.todo, where={**failure.where, "jobs": ",".join(done)}
    )


def _destinations(staged: Staged) -> tuple[_Destination, ...]:
    ordered = sorted(staged.files, key=lambda file: (file.partition or date.min, file.name))
    return tuple(_Destination(day, tuple(files)) for day, files in groupby(ordered, key=lambda file: file.partition))


def job_id(staged: Staged, day: date | None, files: Iterable[StagedFile]) -> str:
    """Returns the load job's id: a function of table, partition and manifest, so a repeated try finds its own job."""
    return f"kagemusha_{staged.plan.table}_{f'{day:%Y%m%d}' if day else 'all'}_{manifest_digest(files)[:16]}"
