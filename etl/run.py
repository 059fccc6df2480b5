"""The daily run: the only module that knows the order of the steps."""

from __future__ import annotations

import secrets
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, replace
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Final

from etl.audit import Approved, Verdict, approve, audit, examine
from etl.audit_docs import write_index, write_page
from etl.choice import choose
from etl.errors import NOT_PUBLISHED, Unexpected, worst
from etl.handoff import Staged, TablePlan, TableResult
from etl.key_history import record_keys
from etl.keys import open_keyring
from etl.leases import Leases, leased
from etl.ledger import Ledger, now, write_report
from etl.plan import plan_table
from etl.progress import Progress
from etl.publish import publish
from etl.reconcile import SourceTotals
from etl.record import RunResult, ending, failed_result, published_result, run_row, table_row
from etl.resume import ALREADY_LOADED, Load, already_loaded, basis
from etl.scope import Scope
from etl.settings import Settings
from etl.side_by_side import SideBySide
from etl.source.engine import joined, pinned
from etl.source.session import Held, Session
from etl.source.snapshot import Snapshot
from etl.stage_proof import staged_with_totals
from etl.standing import standing
from etl.storage import Stage, StageTarget
from etl.stored_manifest import write_manifest
from etl.surroundings import History, load_history, surroundings
from etl.table_checks import table_checks
from etl.views import View, load_views, publish_views
from etl.warehouse import Warehouse
from expectations.suite import BUNDLED as SUITES
from masking.errors import KagemushaError
from masking.keyring import KeyRef, Keyring
from schemas.contract import Contract
from schemas.contract_file import BUNDLED as CONTRACTS
from schemas.contract_file import load_contracts
from schemas.policy import refuse_breaches

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

_MIB: Final = 1024 * 1024
_EVERY_DAY: Final[Mapping[str, Scope]] = {}


@dataclass(frozen=True)
class Run:
    """What every table of one run shares."""

    run_id: str
    day: date
    spark: SparkSession
    held: Held
    keys: Keyring
    key: KeyRef
    target: StageTarget
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
    tables: SideBySide


def daily_run(
    settings: Settings,
    day: date,
    progress: Progress,
    tables: Sequence[str] = (),
    contracts: Path = CONTRACTS,
    suites: Path = SUITES,
    scopes: Mapping[str, Scope] = _EVERY_DAY,
    *,
    resume: bool = False,
) -> RunResult:
    """Loads a business day: every contract's table, or those named, through all steps; then the views and the ledger.

    A table that fails leaves what was published before, and does not keep the others from being loaded.

    Args:
        settings: of the installation.
        day: the target business day (JST).
        progress: hears of every step.
        tables: names of contracts; empty means all.
        contracts: the folder of the contracts.
        suites: the folder of the suites.
        scopes: table → what is read of it, where that is not what its mode says of the day.
        resume: leaves out the tables of which the ledger proves that this load is done.

    Raises:
        KagemushaError: nothing could be read at all: contracts or their policy, settings, login, endpoint, bucket,
            BigQuery, keyring; or other runs hold all of the tables.
    """
    started, began = time.monotonic(), now()
    known = load_contracts(contracts)
    refuse_breaches(list(known.values()))
    chosen, views = choose(known, tables), load_views(contracts / "views")
    for contract in chosen.values():
        table_checks(contract, 0, suites)
    keys = open_keyring(KeyRef(settings.keyring.ref))
    key = KeyRef(settings.keyring.ref, keys.primary, keys.version(keys.primary).kcv)  # rotations meanwhile do not count
    target = StageTarget.of(settings)
    stage, warehouse = Stage(target), Warehouse.of(settings)
    stage.check()
    warehouse.check()
    run_id = f"{day:%Y%m%d}-{now():%Y%m%dT%H%M%SZ}-{secrets.token_hex(3)}"
    ledger, limits = Ledger(warehouse), settings.limits
    ledger.ensure()
    used = record_keys(ledger, keys, run_id)
    bases = {
        name: basis(contract, suites, key, settings.source.url, scopes.get(name)) for name, contract in chosen.items()
    }
    publishes = [contract.publish for contract in chosen.values()]
    snapshot: Snapshot | None = None
    with leased(ledger, run_id, publishes, limits.lease_seconds, limits.lease_wait_seconds) as leases:
        loads = already_loaded(ledger, run_id, day, chosen, bases, leases) if resume else {}
        for name in loads:
            progress.say(name, ALREADY_LOADED)
        pending = {name: contract for name, contract in chosen.items() if name not in loads}
        if pending:
            with pinned(settings.source, run_id, lambda step, counts: progress.say("source", step, **counts)) as held:
                from etl.spark import spark_session  # noqa: PLC0415  Spark starts only when everything else answers

                snapshot = held.snapshot
                ledger.append("runs", [run_row(run_id, "started", day, snapshot)])
                run = Run(
                    run_id,
                    day,
                    spark_session(),
                    held,
                    keys,
                    key,
                    target,
                    warehouse,
                    ledger,
                    progress,
                    suites,
                    leases,
                    bases,
                    began,
                    scopes,
                    known,
                    load_history(warehouse, pending, day),
                    SideBySide(pending, limits.tables_at_once),
                )
                loads |= _load_tables(run, pending, settings)
                write_index(run_id, [result for result, _ in loads.values()], stage)
        else:
            ledger.append("runs", [run_row(run_id, "started", day, None)])
    views_now, failure = _views(warehouse, known, views)
    outcome = RunResult(
        run_id,
        day,
        tuple(loads[name][0] for name in chosen),
        views_now,
        time.monotonic() - started,
        str(failure or ""),
        failure.exit_code if failure else 0,
    )
    if key.version not in used:
        record_keys(ledger, keys, run_id)
    ledger.append("runs", [{**run_row(run_id, "ended", day, snapshot), **ending(outcome)}])
    rows = [row for _, row in loads.values()]
    write_report(
        stage,
        run_id,
        {
            **asdict(outcome),
            "exit_code": outcome.exit_code,
            "snapshot": snapshot.name if snapshot else None,
            "loads": rows,
        },
    )
    stage.delete_older(now() - timedelta(days=settings.stage.keep_days))
    return outcome


def _views(
    warehouse: Warehouse, contracts: Mapping[str, Contract], views: Sequence[View]
) -> tuple[tuple[str, ...], KagemushaError | None]:
    """Publishes the views; an error becomes a part of the result, because the tables are published already."""
    try:
        return publish_views(warehouse, contracts, views), None
    except KagemushaError as error:
        return (), error


def _load_tables(run: Run, contracts: Mapping[str, Contract], settings: Settings) -> dict[str, Load]:
    plans: dict[str, TablePlan | KagemushaError] = {}
    with run.held.governor.turn(), joined(run.held.snapshot) as session:
        for name, contract in contracts.items():
            refusal = run.leases.refusal(contract.publish)
            plans[name] = refusal or _planned(run, session, contract, settings.source.slice_mib * _MIB)
    largest_first = sorted(plans, key=lambda name: -_rows(plans[name]))
    with ThreadPoolExecutor(len(plans), thread_name_prefix="table") as pool:  # how many work at once, turns decide
        loads = {name: pool.submit(_load_table, run, name, plans[name]) for name in largest_first}
    return {name: loads[name].result() for name in contracts}


def _planned(run: Run, session: Session, contract: Contract, slice_bytes: int) -> TablePlan | KagemushaError:
    try:
        scope = run.scopes.get(contract.table) or Scope(
            run.day, run.began, standing=standing(run.warehouse, contract, run.keys)
        )
        with session.isolated():
            workers = run.spark.sparkContext.defaultParallelism
            return plan_table(session, contract, scope, slice_bytes, workers=workers)
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
            around = surroundings(staged, run.day, run.contracts, others, run.history, run.warehouse)
            verdict = examine(run.spark, staged, totals, run.target, run.suites, around)
            write_page(staged, verdict, Stage(run.target))
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
        row |= {"basis": run.bases[table], "fence": run.leases.fence(plan.contract.publish)}
    result = _recorded(run, result, row)
    counts = {"rows": result.rows, "partitions": result.partitions, "seconds": round(result.seconds, 1)}
    failed = {"error": result.error, "exit_code": result.exit_code}
    run.progress.say(table, "failed" if result.error else "published", **(failed if result.error else counts))
    return result, row


def _approved_keys(run: Run, plan: TablePlan) -> Approved:
    """Stages and proves every key of the source, so that a merge can tell which rows are gone."""
    run.progress.say(plan.table, "stage", slices=len(plan.slices), estimated_rows=plan.estimated_rows)
    staged, totals = staged_with_totals(run.spark, plan, run.held, run.keys, run.key, run.target, run.run_id)
    return audit(run.spark, staged, totals, run.target, run.suites)


def _stage(run: Run, table: str, plan: TablePlan | KagemushaError) -> tuple[Staged, SourceTotals]:
    """Stages a table and leaves its manifest beside the files, so that audit and publish can be run again."""
    if isinstance(plan, KagemushaError):
        raise plan
    run.spark.sparkContext.setLocalProperty("spark.scheduler.pool", table)
    run.progress.say(table, "stage", slices=len(plan.slices), estimated_rows=plan.estimated_rows)
    staged, totals = staged_with_totals(run.spark, plan, run.held, run.keys, run.key, run.target, run.run_id)
    write_manifest(staged, totals, Stage(run.target))
    return staged, totals


def _recorded(run: Run, result: TableResult, row: Mapping[str, object]) -> TableResult:
    """Writes a table's row of the ledger as soon as it ended, so that a run that is killed later has told of it."""
    try:
        run.ledger.append("table_loads", [row])
    except KagemushaError as error:
        return replace(result, error=result.error or str(error), exit_code=worst(result.exit_code, error.exit_code))
    return result
