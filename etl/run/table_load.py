"""One table's way through a run: plan, stage, audit, publish, record; an error becomes its result."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final

from etl.audit.auditor import audit, examine
from etl.audit.data_docs import write_page
from etl.audit.references import gather_references
from etl.audit.verdict import Approved, Verdict, approve
from etl.cloud.bigquery.warehouse import Warehouse
from etl.cloud.storage.bucket import StagingBucket, StagingLocation
from etl.errors import NOT_PUBLISHED, Unexpected, worst
from etl.ledger.leases import Leases
from etl.ledger.ledger import Ledger
from etl.ledger.loads import History, merge_state
from etl.ledger.results import TableResult
from etl.plan.plan import plan_table
from etl.plan.scope import Scope
from etl.plan.table_plan import TablePlan
from etl.progress import Progress
from etl.publish.publisher import publish
from etl.run.ledger_rows import table_row
from etl.run.results import failed_result, published_result
from etl.run.resume import Load
from etl.run.table_turns import TableTurns
from etl.source.session import Session
from etl.source.snapshot import HeldSnapshot
from etl.stage.driver import stage_and_count
from etl.stage.manifest import write_manifest
from etl.stage.source_totals import SourceTotals
from etl.stage.staged import Staged
from masking.errors import KagemushaError
from masking.keyring import KeyRef, Keyring
from masking.leaks import OwnIins
from schemas.contract import Contract

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

_MIB: Final = 1024 * 1024


@dataclass(frozen=True)
class Run:
    """What every table of one run shares."""

    run_id: str
    day: date
    spark: SparkSession
    held: HeldSnapshot
    keys: Keyring
    key: KeyRef
    target: StagingLocation
    warehouse: Warehouse
    ledger: Ledger
    progress: Progress
    suites: Path
    leases: Leases
    bases: Mapping[str, str]
    began: datetime
    scopes: Mapping[str, Scope]
    contracts: Mapping[str, Contract]
    history: History
    tables: TableTurns
    own_iins: OwnIins


def _planned(run: Run, session: Session, contract: Contract, slice_bytes: int) -> TablePlan | KagemushaError:
    try:
        scope = run.scopes.get(contract.table) or Scope(
            run.day, run.began, standing=merge_state(run.warehouse, contract, run.keys)
        )
        with session.isolated():
            workers = run.spark.sparkContext.defaultParallelism
            return plan_table(session, contract, scope, slice_bytes, workers=workers, own_iins=run.own_iins)
    except KagemushaError as error:
        return error.at(table=contract.table)


def _rows(plan: TablePlan | KagemushaError) -> int:
    return plan.estimated_rows if isinstance(plan, TablePlan) else 0


def _load_table(run: Run, table: str, plan: TablePlan | KagemushaError) -> Load:
    """Takes one table through stage, audit, publish and ledger; an error becomes its result."""
    started = time.monotonic()
    staged: Staged | None = None
    verdict: Verdict | None = None
    try:
        with run.tables.turn():
            started = time.monotonic()
            staged, totals = _stage(run, table, plan)
        run.tables.staged(table, staged)
        stopped = time.monotonic()
        contract = staged.plan.contract
        others = run.tables.wait_for(target.split(".")[0] for target in contract.joins.values())
        with run.tables.turn():
            started += time.monotonic() - stopped  # waiting is no work
            run.progress.say(table, "audit", rows=staged.rows, bytes=staged.bytes)
            around = gather_references(staged, run.day, run.contracts, others, run.history, run.warehouse)
            verdict = examine(run.spark, staged, totals, run.target, run.suites, around)
            write_page(staged, verdict, StagingBucket(run.target))
            approved = approve(staged, verdict)
            keys = _approved_keys(run, staged.plan.keys) if staged.plan.keys else None
            run.progress.say(table, "publish", expectations=len(verdict.results))
            published = publish(approved, run.leases.of(contract.publish), run.warehouse, run.target, keys)
        result = published_result(approved, published, time.monotonic() - started)
    except KagemushaError as error:
        result = failed_result(table, error.at(table=table), time.monotonic() - started, verdict)
    except Exception as error:  # noqa: BLE001  its message could quote a value: only its type is kept
        failure = Unexpected(f"A step failed with {type(error).__name__}.", not_done=NOT_PUBLISHED)
        result = failed_result(table, failure.at(table=table), time.monotonic() - started, verdict)
    finally:
        run.tables.staged(table, staged)
    row = table_row(run.run_id, run.day, result, staged, verdict)
    if isinstance(plan, TablePlan):
        row |= {"basis": run.bases[table], "fence": run.leases.fencing_token(plan.contract.publish)}
    result = _recorded(run, result, row)
    counts = {"rows": result.rows, "partitions": result.partitions, "seconds": round(result.seconds, 1)}
    failed = {"error": result.error, "exit_code": result.exit_code}
    run.progress.say(table, "failed" if result.error else "published", **(failed if result.error else counts))
    return result, row


def _approved_keys(run: Run, plan: TablePlan) -> Approved:
    """Stages and proves every key of the source, so that a merge can tell which rows are gone."""
    run.progress.say(plan.table, "stage", slices=len(plan.slices), estimated_rows=plan.estimated_rows)
    staged, totals = stage_and_count(run.spark, plan, run.held, run.keys, run.key, run.target, run.run_id)
    return audit(run.spark, staged, totals, run.target, run.suites)


def _stage(run: Run, table: str, plan: TablePlan | KagemushaError) -> tuple[Staged, SourceTotals]:
    """Stages a table and leaves its manifest beside the files, so that audit and publish can be run again."""
    if isinstance(plan, KagemushaError):
        raise plan
    run.spark.sparkContext.setLocalProperty("spark.scheduler.pool", table)
    run.progress.say(table, "stage", slices=len(plan.slices), estimated_rows=plan.estimated_rows)
    staged, totals = stage_and_count(run.spark, plan, run.held, run.keys, run.key, run.target, run.run_id)
    write_manifest(staged, totals, StagingBucket(run.target))
    return staged, totals


def _recorded(run: Run, result: TableResult, row: Mapping[str, object]) -> TableResult:
    """Writes a table's row of the ledger as soon as it ended, so that a run that is killed later has told of it."""
    try:
        run.ledger.append("table_loads", [row])
    except KagemushaError as error:
        return replace(result, error=result.error or str(error), exit_code=worst(result.exit_code, error.exit_code))
    return result
