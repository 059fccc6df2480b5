"""Publishes an approved stage: a whole table or single business days are replaced, or changed rows are merged."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from datetime import date
from itertools import groupby
from typing import Final

from google.cloud import bigquery

from etl.audit import Approved
from etl.cloud.bigquery import Warehouse, copy, quoted, run_statement
from etl.cloud.storage import StagingLocation
from etl.errors import NOT_PUBLISHED, worst_of
from etl.ledger import LeaseProof
from etl.publish.aside import Asides
from etl.publish.fence import unless_lost
from etl.publish.limits import refuse_beyond_limits
from etl.publish.merge import MergeSource, merge
from etl.publish.published import Published
from etl.publish.rights.row_policies import KEEPS_POLICIES, refuse_lost_policies, row_policies
from etl.publish.tables import ensure_table
from etl.stage import SourceTotals, Staged, StagedFile, manifest_digest
from masking.errors import KagemushaError
from schemas.contract import Contract

_JOBS_AT_ONCE: Final = 16
"""Partitions of one table that are replaced side by side; BigQuery takes 50 changes of partitions in ten seconds."""


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

    def publish(
        self,
        approved: Approved,
        lease: LeaseProof,
        keys: Approved | None = None,
        whole: SourceTotals | None = None,
    ) -> Published:
        """Loads the manifest's files, and only those, into BigQuery.

        They come into a table beside the destination, where generations, counts and sums are proven. Then each
        destination — the table, or one partition of it — is replaced by one job, which BigQuery commits whole or not at
        all: readers see the old rows until then. A business day without rows is emptied. Changed rows are merged by one
        statement instead.

        Args:
            approved: the stage and the proof that it may be published.
            lease: proves before each job that no other run publishes the table now.
            keys: every key of the source, where a merge also looks for rows that are gone.
            whole: the totals of the source's whole table then, which the merged one must equal.

        Raises:
            LeaseHeld: another run may publish the table now; this one's time was over.
            StageChanged: storage no longer holds what the audit approved; nothing of it became visible.
            PublishRefused: the table differs destructively from its contract, a limit is exceeded, or BigQuery refused
                the data; or row access policies hide rows from this account.
            RowPoliciesLost: the load took row access policies from the table.
            PublishFailed: a job failed, or BigQuery holds other rows than were staged; destinations keep their rows, a
                rerun replaces all of the window, and the error says how many others were replaced.
        """
        staged = approved.staged
        refuse_beyond_limits(staged)
        table = ensure_table(self.warehouse, staged.plan.contract)
        policies = row_policies(self.warehouse, staged.plan.contract)
        if staged.plan.merges:
            source = MergeSource(keys.staged if keys else None, whole)
            done = merge(staged, source, table, lease, self.warehouse, self.location, self.accepted_deletes)
        else:
            done = self._replace(staged, table, lease, keeping=bool(policies))
        refuse_lost_policies(self.warehouse, staged.plan.contract, policies)
        return done

    def _replace(self, staged: Staged, table: bigquery.Table, lease: LeaseProof, *, keeping: bool) -> Published:
        """Replaces the table, or each of its days that was staged, by rows that are proven beside it."""
        started, destinations = time.monotonic(), _destinations(staged)
        asides = Asides(self.warehouse, self.location, staged.digest[:16])
        beside = asides.load(staged, "load", table.schema)
        outcomes = self._replaced(staged, destinations, beside, table, lease, keeping=keeping)
        failures = [one for one in outcomes if isinstance(one, KagemushaError)]
        job_ids = tuple(one for one in outcomes if isinstance(one, str))
        asides.discard(beside)
        if failures:
            raise _partly(failures, job_ids, len(destinations))
        compared = staged.rows if staged.plan.changes else None  # a whole table has all keys that there are
        return Published(staged.rows, len(job_ids), job_ids, time.monotonic() - started, keys_compared=compared)

    def _replaced(
        self,
        staged: Staged,
        destinations: Sequence[_Destination],
        beside: str,
        table: bigquery.Table,
        lease: LeaseProof,
        *,
        keeping: bool,
    ) -> list[str | KagemushaError | None]:
        """Replaces all destinations, several at once; returns their jobs' ids.

        None is begun after a failure, and every one begun is awaited.
        """
        failed = threading.Event()

        def replaced(one: _Destination) -> str | KagemushaError | None:
            if failed.is_set():
                return None
            try:
                return self._replace_one(staged, one, beside, table, lease, keeping=keeping)
            except KagemushaError as error:
                failed.set()
                return error

        with ThreadPoolExecutor(_JOBS_AT_ONCE, thread_name_prefix="replace") as pool:
            pending: list[Future[str | KagemushaError | None]] = [pool.submit(replaced, one) for one in destinations]
        return [one.result() for one in pending]

    def _replace_one(
        self,
        staged: Staged,
        one: _Destination,
        beside: str,
        table: bigquery.Table,
        lease: LeaseProof,
        *,
        keeping: bool,
    ) -> str:
        """Replaces one destination by its part of the table beside; a day of which that has no rows is emptied.

        A copy is free and would take row access policies from the table; where it has any (`keeping`), a query does it.
        """
        contract, name = staged.plan.contract, job_id(staged, one.day, one.files)
        destination, labels = self.warehouse.table_id(contract.publish), _labels(contract)
        if one.day and not any(file.rows for file in one.files):
            fence, of_day = f"(SELECT COUNT(*) FROM `{beside}`) >= 0", quoted(str(contract.partition_by))
            sql = f"DELETE FROM `{destination}` WHERE {of_day} = DATE '{one.day}' AND {fence}"
            config = bigquery.QueryJobConfig(labels=labels)
            emptied = unless_lost(lease, lambda: run_statement(self.warehouse, sql, name, config, lease.prove))
            return str(emptied.job_id)
        part = f"${one.day:%Y%m%d}" if one.day else ""
        if keeping:
            sql = f"SELECT {', '.join(quoted(field.name) for field in table.schema)} FROM `{beside}`"
            sql += f" WHERE {quoted(str(contract.partition_by))} = DATE '{one.day}'" if one.day else ""
            config = bigquery.QueryJobConfig(
                destination=bigquery.TableReference.from_string(destination + part),
                write_disposition=KEEPS_POLICIES,
                create_disposition=bigquery.CreateDisposition.CREATE_NEVER,
                destination_encryption_configuration=table.encryption_configuration,
                labels=labels,
            )
            kept = unless_lost(lease, lambda: run_statement(self.warehouse, sql, f"{name}_rows", config, lease.prove))
            return str(kept.job_id)
        copying = bigquery.CopyJobConfig(
            write_disposition=bigquery.WriteDisposition.WRITE_TRUNCATE,
            create_disposition=bigquery.CreateDisposition.CREATE_NEVER,
            destination_encryption_configuration=table.encryption_configuration,
            labels=labels,
        )
        done = unless_lost(
            lease, lambda: copy(self.warehouse, beside + part, destination + part, name, copying, lease.prove)
        )
        return str(done.job_id)


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


def _labels(contract: Contract) -> dict[str, str]:
    return {"managed_by": "kagemusha", "table": contract.table[:63]}


def job_id(staged: Staged, day: date | None, files: Iterable[StagedFile]) -> str:
    """Returns the job's id: a function of table, partition and manifest, so a repeated try finds its own job."""
    return f"kagemusha_{staged.plan.table}_{f'{day:%Y%m%d}' if day else 'all'}_{manifest_digest(files)[:16]}"
