"""Merges changed rows into a published table: they are loaded into a table of their own, then merged by the key.

The statement names the days that it touches, so BigQuery reads and writes those partitions only.
"""

from __future__ import annotations

import time
from datetime import date
from typing import ClassVar, Final

from google.cloud import bigquery

from etl.cloud.bigquery import Warehouse, run_statement
from etl.cloud.storage import StagingLocation
from etl.errors import NOT_PUBLISHED, STOPPED, PublishFailed, PublishRefused
from etl.ledger import LeaseProof
from etl.publish.aside import Asides
from etl.publish.limits import PARTITIONS_A_JOB
from etl.publish.merge_sql import Merge
from etl.publish.published import Published
from etl.stage import Staged, manifest_digest
from masking.errors import KagemushaError
from schemas.loads import MergeLoad

_FEW: Final = 10
"""So many rows may go whatever their share, unless nothing is left: small tables lose rows too."""


class DeletesUnproven(KagemushaError):
    """A merge would delete more rows than a contract lets one run delete."""

    exit_code: ClassVar[int] = STOPPED


def merge(
    staged: Staged,
    keys: Staged | None,
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
        keys: every key of the source, or None where no deletes are looked for.
        table: the published table.
        lease: proves that no other run publishes it now.
        warehouse: where it is.
        target: where the staged files are.
        accepted_deletes: how many rows may be deleted beyond what the contract lets one run delete.

    Raises:
        LeaseHeld: another run may publish the table now; this one's time was over.
        DeletesUnproven: more rows are gone from the source than one run may delete.
        PublishRefused: keys of the source are missing in the published table, so changes were lost; the changes touch
            more days than one statement may; or BigQuery refused the statement.
        StageChanged: storage no longer holds what the audit approved; nothing of it became visible.
        PublishFailed: a job failed, or BigQuery holds other rows than were staged; the published table keeps its rows.
    """
    started = time.monotonic()
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
    days = _days(warehouse, statements)
    config = bigquery.QueryJobConfig(labels={"managed_by": "kagemusha", "table": staged.plan.table[:63]})
    name = f"kagemusha_{staged.plan.table}_merge_{digest}"
    job = run_statement(warehouse, statements.merge(days), name, config, lease.prove)
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
    few = max(_FEW, int(published * contract.load.most_deletes)) if gone < published else 0
    if gone > max(few, accepted):
        raise DeletesUnproven(
            f"{gone:,} of {published:,} rows of {contract.publish} are gone from the source; one run may delete "
            f"{few:,}.",
            not_done=NOT_PUBLISHED,
            advice=f"Find out who deleted them. If they are to go: kagemusha run --table {contract.table} "
            f"--accept-deletes {gone}.",
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
