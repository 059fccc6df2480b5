"""One published table's tokens are renewed: read back, staged, audited and published like a daily load.

What the table held before is what its totals must equal afterwards.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Final

from etl.audit.auditor import audit
from etl.audit.verdict import Approved
from etl.clock import now
from etl.cloud.bigquery.warehouse import RETRY, TIMEOUT_SECONDS, Warehouse, quoted, translated
from etl.cloud.storage.bucket import StagingLocation
from etl.errors import NOT_PUBLISHED, PublishFailed, Unexpected, worst_of
from etl.ledger.leases import Leases
from etl.ledger.ledger import Ledger
from etl.ledger.rows import check_rows
from etl.plan.table_plan import TablePlan, mask_plan
from etl.progress import Progress
from etl.publish.published import Published
from etl.publish.publisher import publish
from etl.source.slice import Slice
from etl.stage.quarantine import Quarantine
from etl.stage.source_totals import SourceTotals
from etl.stage.staged import Staged
from etl.upkeep.retokenize.old_rows import OldRows, any_of
from etl.upkeep.retokenize.task import RestagedSlice, RestageOutcome, RetokenTask, restage_slice
from masking.errors import KagemushaError
from masking.keyring import KeyRef
from masking.leaks import OwnIins
from schemas.contract import Contract
from schemas.domains import one_way_columns, rewritable_columns

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

DAYS_AT_ONCE: Final = 31
"""Business days that are audited and published together: a try that is broken off keeps what it has done."""


@dataclass(frozen=True)
class RetokenRun:
    """What every table of one retokenization shares; `key` pins the primary version."""

    run_id: str
    spark: SparkSession
    key: KeyRef
    target: StagingLocation
    warehouse: Warehouse
    ledger: Ledger
    progress: Progress
    suites: Path
    own_iins: OwnIins = ()

    def folder(self, label: str) -> str:
        """Returns the place of a table's staged files."""
        return f"{self.target.prefix}/{self.run_id}/{label}"


@dataclass(frozen=True)
class TableRetokenized:
    """How one table ended; `one_way` are its columns that stay under the version they were masked with."""

    table: str
    rows: int = 0
    partitions: int = 0
    seconds: float = 0.0
    one_way: tuple[str, ...] = ()
    error: str = ""
    exit_code: int = 0


def retokenize_table(run: RetokenRun, old: OldRows, leases: Leases) -> TableRetokenized:
    """Renews one table; an error becomes its result, and what is not renewed stays as it was."""
    started = time.monotonic()
    table, one_way = old.contract.table, one_way_columns(old.contract)
    rows = partitions = 0
    held = leases.refusal(old.contract.publish)
    try:
        if held is not None:
            raise held
        for slices in _in_turn(old.slices):
            published = _renew(run, old.contract, slices, leases)
            rows, partitions = rows + published.rows, partitions + published.partitions
    except KagemushaError as error:
        failure = error
    except Exception as error:  # noqa: BLE001  its message could quote a value: only its type is kept
        failure = Unexpected(f"A step failed with {type(error).__name__}.", not_done=NOT_PUBLISHED)
    else:
        run.progress.say(table, "published", rows=rows, partitions=partitions)
        return TableRetokenized(table, rows, partitions, time.monotonic() - started, one_way)
    text, code = str(failure.at(table=table)), failure.exit_code
    run.progress.say(table, "failed", error=text, exit_code=code)
    return TableRetokenized(table, rows, partitions, time.monotonic() - started, one_way, text, code)


def staged_slices(
    spark: SparkSession,
    task: RetokenTask,
    slices: Sequence[Slice],
    stage: Callable[[RetokenTask, Slice], RestageOutcome],
) -> list[RestagedSlice]:
    """Runs one Spark task a slice; gives what they staged, in order.

    Raises:
        KagemushaError: the worst failure of any slice.
    """
    outcomes = spark.sparkContext.parallelize(slices, len(slices)).map(lambda part: stage(task, part)).collect()
    failures = [outcome for outcome in outcomes if isinstance(outcome, KagemushaError)]
    if failures:
        raise worst_of(failures)
    return [outcome for outcome in outcomes if isinstance(outcome, RestagedSlice)]


def _in_turn(slices: Sequence[Slice]) -> Iterator[tuple[Slice, ...]]:
    for begin in range(0, len(slices), DAYS_AT_ONCE):
        yield tuple(slices[begin : begin + DAYS_AT_ONCE])


def _renew(run: RetokenRun, contract: Contract, slices: tuple[Slice, ...], leases: Leases) -> Published:
    """Renews some business days of a table, or the whole of one without days."""
    started, before = time.monotonic(), _changed_at(run, contract)
    run.progress.say(contract.table, "stage", slices=len(slices))
    staged = _stage(run, contract, slices)
    run.progress.say(contract.table, "audit", rows=staged.rows, bytes=staged.bytes)
    approved = audit(run.spark, staged, _published_totals(run, contract, slices), run.target, run.suites)
    if _changed_at(run, contract) != before:
        raise PublishFailed("Another run changed the table meanwhile.", not_done=NOT_PUBLISHED, advice="Run again.")
    published = publish(approved, leases.of(contract.publish), run.warehouse, run.target)
    row = _ledger_row(approved, slices, published, time.monotonic() - started)
    run.ledger.append("table_loads", [{**row, "fence": leases.fencing_token(contract.publish)}])
    return published


def _stage(run: RetokenRun, contract: Contract, slices: tuple[Slice, ...]) -> Staged:
    started = time.monotonic()
    plan = TablePlan(contract, None, mask_plan(contract, now().date(), run.own_iins), slices, 0)
    columns = ", ".join(map(quoted, contract.published))
    task = RetokenTask(
        name=contract.table,
        select=f"SELECT {columns} FROM `{run.warehouse.table_id(contract.publish)}`",
        schema=plan.output_schema,
        strategies=rewritable_columns(contract),
        allowed=plan.mask.allowed,
        sums=contract.reconcile,
        warehouse=run.warehouse.settings,
        key=run.key,
        target=run.target,
        folder=run.folder(contract.table),
        own_iins=plan.mask.own_iins,
    )
    restaged = staged_slices(run.spark, task, slices, restage_slice)
    return Staged(
        plan=plan,
        run_id=run.run_id,
        files=tuple(one.file for one in restaged),
        sums={column: sum((one.sums[column] for one in restaged), Decimal(0)) for column in contract.reconcile},
        nulled={},
        quarantine=Quarantine(),
        key_checks={run.key.version or 0: run.key.kcv or ""},
        seconds=time.monotonic() - started,
        peak_mib=0,
    )


def _published_totals(run: RetokenRun, contract: Contract, slices: Sequence[Slice]) -> SourceTotals:
    """Returns the row count and sums that BigQuery has in these parts of the table."""
    sums = [f"COALESCE(SUM({quoted(column)}), 0)" for column in contract.reconcile]
    table = run.warehouse.table_id(contract.publish)
    sql = f"SELECT {', '.join(['COUNT(*)', *sums])} FROM `{table}` WHERE {any_of(slices)}"
    with translated("Published rows could not be counted"):
        (row,) = run.warehouse.client.query_and_wait(sql, api_timeout=TIMEOUT_SECONDS, retry=RETRY)
    count, *totals = row.values()
    return SourceTotals(
        int(count), {column: Decimal(str(total)) for column, total in zip(contract.reconcile, totals, strict=True)}
    )


def _changed_at(run: RetokenRun, contract: Contract) -> object:
    """Returns when the table was last written, as BigQuery says."""
    found = run.warehouse.find_table(contract.publish)
    return found.modified if found else None


def _ledger_row(approved: Approved, slices: Sequence[Slice], published: Published, seconds: float) -> dict[str, object]:
    staged, verdict = approved.staged, approved.verdict
    return {
        "run_id": staged.run_id,
        "table_name": staged.plan.table,
        "outcome": "retokenized",
        "window_first": slices[0].partition,
        "window_last": slices[-1].partition,
        "rows": staged.rows,
        "bytes": staged.bytes,
        "partitions": published.partitions,
        "sums": staged.sums,
        "contract_digest": staged.plan.contract.digest,
        "manifest_digest": staged.digest,
        "key_checks": staged.key_checks,
        "job_ids": published.job_ids,
        "expectations": len(verdict.results),
        "expectations_passed": verdict.passed,
        "warnings": [one.line for one in verdict.warnings],
        "checks": check_rows(verdict.results),
        "seconds": seconds,
        "at": now(),
    }
