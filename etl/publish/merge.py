"""Merges changed rows into a published table: they are loaded into a table of their own, then merged by the key.

The statement names the days that it touches, so BigQuery reads and writes those partitions only.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import date
from typing import ClassVar

from google.cloud import bigquery

from etl.cloud.bigquery import Warehouse, run_statement
from etl.cloud.storage import StagingLocation
from etl.errors import NOT_PUBLISHED, STOPPED, PublishFailed, PublishRefused
from etl.ledger import LeaseProof
from etl.publish.aside import Asides
from etl.publish.fence import unless_lost
from etl.publish.limits import PARTITIONS_A_JOB
from etl.publish.merge_sql import Merge
from etl.publish.published import Published
from etl.publish.totals import totals_of
from etl.stage import SourceTotals, Staged, manifest_digest
from masking.errors import KagemushaError
from schemas.loads import MergeLoad


class DeletesUnproven(KagemushaError):
    """A merge would delete more rows than a contract lets one run delete."""

    exit_code: ClassVar[int] = STOPPED


class MergeUnproven(KagemushaError):
    """A merge would not make the published table what the source is."""

    exit_code: ClassVar[int] = STOPPED


@dataclass(frozen=True)
class MergeSource:
    """What the source's whole table is, under the snapshot of the changes.

    Attributes:
        keys: every key, or None where no deletes are looked for.
        totals: of all rows; None where they are not compared.
    """

    keys: Staged | None = None
    totals: SourceTotals | None = None


def merge(
    staged: Staged,
    source: MergeSource,
    table: bigquery.Table,
    lease: LeaseProof,
    warehouse: Warehouse,
    target: StagingLocation,
    accepted_deletes: int = 0,
) -> Published:
    """Merges the staged rows; with all keys of the source, rows whose key is gone are deleted or marked as deleted.

    The same stage merged again changes nothing: its job is found by its id, and its rows are equal.

    Args:
        staged: the changes.
        source: what the merged table is proven by before it becomes visible.
        table: the published table.
        lease: proves that no other run publishes it now.
        warehouse: where it is.
        target: where the staged files are.
        accepted_deletes: how many rows may be deleted beyond what the contract lets one run delete.

    Raises:
        LeaseHeld: another run may publish the table now; this one's time was over.
        DeletesUnproven: more rows are gone from the source than one run may delete.
        MergeUnproven: the merged table would not have the source's rows and sums.
        PublishRefused: keys of the source are missing in the published table, so changes were lost; the changes touch
            more days than one statement may; or BigQuery refused the statement.
        StageChanged: storage no longer holds what the audit approved; nothing of it became visible.
        PublishFailed: a job failed, or BigQuery holds other rows than were staged; the published table keeps its rows.
    """
    started, keys = time.monotonic(), source.keys
    compared = keys.rows if keys else None
    if not staged.rows and keys is None:
        return Published(0, 0, (), time.monotonic() - started)
    digest = manifest_digest([*staged.files, *(keys.files if keys else ())])[:16]
    asides = Asides(warehouse, target, digest)
    statements = Merge(
        staged.plan,
        table=warehouse.table_id(staged.plan.contract.publish),
        changes=asides.load(staged, "changes", _columns(staged, table)),
        keys=asides.load(keys, "keys", _columns(keys, table)) if keys else None,
    )
    _refuse_lost_rows(warehouse, statements)
    _refuse_many_deletes(warehouse, statements, accepted_deletes)
    _refuse_other_totals(warehouse, statements, source.totals)
    days = _days(warehouse, statements)
    config = bigquery.QueryJobConfig(labels={"managed_by": "kagemusha", "table": staged.plan.table[:63]})
    name = f"kagemusha_{staged.plan.table}_merge_{digest}"
    job = unless_lost(lease, lambda: run_statement(warehouse, statements.merge(days), name, config, lease.prove))
    stats = job.dml_stats
    written = stats.inserted_row_count + stats.updated_row_count if stats else 0
    changed = written + stats.deleted_row_count if stats else 0
    if written < staged.rows:
        raise PublishFailed(
            f"Job {job.job_id} reports {written} rows, {staged.rows} were staged.", not_done="The ledger says so."
        )
    for aside in (statements.changes, statements.keys):
        if aside:
            warehouse.drop_table("A staging table could not be removed", aside, "The rows are merged.")
    return Published(
        staged.rows,
        len(days) or 1,
        (str(job.job_id),),
        time.monotonic() - started,
        keys_compared=compared,
        deleted=changed - staged.rows,
    )


def _columns(staged: Staged, table: bigquery.Table) -> list[bigquery.SchemaField]:
    """Returns those columns of the published table that were staged: all, or those of the key."""
    return [field for field in table.schema if field.name in staged.plan.contract.published]


def _refuse_lost_rows(warehouse: Warehouse, statements: Merge) -> None:
    sql = statements.lost()
    if sql is None:
        return
    (row,) = warehouse.rows("Published keys could not be compared", sql)
    if row["lost"]:
        raise PublishRefused(
            f"{row['lost']:,} rows of the source are not in {statements.plan.contract.publish}: they were committed "
            "later than the overlap, came back without a new watermark, or were erased in BigQuery alone.",
            not_done=NOT_PUBLISHED,
            advice=f"Run `kagemusha backfill --table {statements.plan.table}`, which loads it whole; raise "
            "`overlap_minutes` in its contract.",
        )


def _refuse_many_deletes(warehouse: Warehouse, statements: Merge, accepted: int) -> None:
    """Refuses to delete most of a table because its source seems to have lost most of its rows."""
    sql, contract = statements.deletes(), statements.plan.contract
    if sql is None or not isinstance(contract.load, MergeLoad):
        return
    (row,) = warehouse.rows("Deletes could not be counted", sql)
    gone, published = int(row["gone"]), int(row["published"])
    few = contract.load.deletable(published) if gone < published else 0
    if gone > max(few, accepted):
        raise DeletesUnproven(
            f"{gone:,} of {published:,} rows of {contract.publish} are gone from the source; one run may delete "
            f"{few:,}.",
            not_done=NOT_PUBLISHED,
            advice=f"Find out who deleted them. If they are to go: kagemusha run --table {contract.table} "
            f"--accept-deletes {gone}.",
        )


def _refuse_other_totals(warehouse: Warehouse, statements: Merge, source: SourceTotals | None) -> None:
    """Refuses a merge after which live rows and sums would not be the source's: a change was missed, or is not ours."""
    contract, sql = statements.plan.contract, statements.merged()
    if sql is None or source is None:
        return
    merged = totals_of(warehouse, sql, contract)
    wrong = [f"{merged.rows:,} rows, the source has {source.rows:,}"] if merged.rows != source.rows else []
    wrong += [f"another {name}" for name in contract.reconcile if merged.sums[name] != source.sums[name]]
    if wrong:
        raise MergeUnproven(
            f"After the merge {contract.publish} would have {'; '.join(wrong)}.",
            not_done=NOT_PUBLISHED,
            advice=f"Run `kagemusha backfill --table {contract.table}`, which loads it whole; find out who changes "
            "rows or the published table without moving the watermark.",
        )


def _days(warehouse: Warehouse, statements: Merge) -> tuple[date, ...]:
    sql = statements.days()
    if sql is None:
        return ()
    days = tuple(row["day"] for row in warehouse.rows("The days of changed rows could not be found", sql))
    if len(days) > PARTITIONS_A_JOB:
        raise PublishRefused(
            f"The changes touch {len(days):,} days; one statement may change {PARTITIONS_A_JOB:,}.",
            not_done=NOT_PUBLISHED,
            advice="Leave `by` out of the contract's load, and drop the table in BigQuery: the next run makes it anew.",
        )
    return days
