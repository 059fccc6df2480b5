"""The daily run: the only module that knows the order of the steps."""

from __future__ import annotations

import secrets
import time
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import date, timedelta
from difflib import get_close_matches
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Final

import psycopg

from etl.audit import Approved, audit, table_checks
from etl.errors import NO_ROW_READ, NOT_PUBLISHED, SettingsInvalid, SourceUnavailable, Unexpected
from etl.handoff import Published, Staged, TablePlan, TableResult
from etl.keys import open_keyring
from etl.ledger import Ledger, now, write_report
from etl.plan import plan_table
from etl.progress import Progress
from etl.publish import publish
from etl.reconcile import source_totals
from etl.settings import Settings
from etl.source.connect import Endpoint
from etl.source.snapshot import HeldSnapshot, joined_snapshot, pinned_snapshot
from etl.stage import stage_table
from etl.storage import Stage, StageTarget
from etl.views import load_views, publish_views
from etl.warehouse import Warehouse
from expectations.suite import BUNDLED as SUITES
from masking.errors import KagemushaError, KeyUnusable
from masking.keyring import KeyRef, Keyring
from schemas.contract import BUNDLED as CONTRACTS
from schemas.contract import Contract, load_contracts

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

_MIB: Final = 1024 * 1024
_WORST_FIRST: Final = (2, 1, 3, 0)  # what a person must change, what a person must look at, what may pass by itself


@dataclass(frozen=True)
class RunResult:
    """How a run ended."""

    run_id: str
    day: date
    tables: tuple[TableResult, ...]
    views: tuple[str, ...]
    seconds: float

    @property
    def exit_code(self) -> int:
        """0 published · 1 audit or leak stopped a table · 2 contract or settings must change · 3 run again."""
        return worst(result.exit_code for result in self.tables)


@dataclass(frozen=True)
class Run:
    """What every table of one run shares."""

    run_id: str
    spark: SparkSession
    held: HeldSnapshot
    keys: Keyring
    key: KeyRef
    target: StageTarget
    warehouse: Warehouse
    progress: Progress
    suites: Path


def worst(codes: Iterable[int]) -> int:
    """Gives the exit code that tells most about what has to be done."""
    return min(codes, key=_WORST_FIRST.index, default=0)


def daily_run(
    settings: Settings,
    day: date,
    progress: Progress,
    tables: Sequence[str] = (),
    contracts: Path = CONTRACTS,
    suites: Path = SUITES,
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

    Raises:
        KagemushaError: nothing could be read at all: settings, login, endpoint, bucket, BigQuery, keyring.
    """
    started = time.monotonic()
    chosen = choose(load_contracts(contracts), tables)
    for contract in chosen.values():
        table_checks(contract, 0, suites)
    keys = open_keyring(KeyRef(settings.keyring.ref))
    key = KeyRef(
        settings.keyring.ref, keys.primary, keys.version(keys.primary).kcv
    )  # a rotation meanwhile changes nothing
    target = StageTarget(
        settings.stage.bucket, settings.stage.prefix, settings.stage.endpoint, settings.bigquery.project
    )
    stage, warehouse = Stage(target), Warehouse(settings.bigquery)
    stage.check()
    warehouse.check()
    run_id = f"{day:%Y%m%d}-{now():%Y%m%dT%H%M%SZ}-{secrets.token_hex(3)}"
    with pinned_snapshot(Endpoint.of(settings.source), settings.source.allowed_instances) as held:
        from etl.spark import spark_session  # noqa: PLC0415  Spark starts only when everything else answers

        ledger = Ledger(warehouse)
        ledger.ensure()
        _refuse_changed_keys(ledger, keys)
        ledger.append("runs", [_run_row(run_id, "started", day, held)])
        stage.delete_older(now() - timedelta(days=settings.stage.keep_days))
        run = Run(run_id, spark_session(), held, keys, key, target, warehouse, progress, suites)
        results = _load_tables(run, chosen, day, settings)
    views: tuple[str, ...] = ()
    if any(result.outcome == "published" for result, _ in results):
        views = publish_views(warehouse, load_contracts(contracts), load_views(contracts / "views"))
    outcome = RunResult(run_id, day, tuple(result for result, _ in results), views, time.monotonic() - started)
    ledger.append("table_loads", [{**row, "run_id": run_id, "day": day, "at": now()} for _, row in results])
    ledger.append("runs", [{**_run_row(run_id, "ended", day, held), **_ending(outcome)}])
    write_report(stage, run_id, {**asdict(outcome), "loads": [row for _, row in results]})
    return outcome


def choose(contracts: Mapping[str, Contract], tables: Sequence[str]) -> dict[str, Contract]:
    """Gives the contracts of the named tables, or all.

    Raises:
        SettingsInvalid: a name is no contract's table.
    """
    unknown = [name for name in tables if name not in contracts]
    if unknown:
        near = get_close_matches(unknown[0], contracts, n=1)
        raise SettingsInvalid(
            f"There is no contract for {', '.join(repr(name) for name in unknown)}.",
            not_done=NO_ROW_READ,
            advice=f"Did you mean {near[0]}?" if near else f"Tables: {', '.join(contracts)}.",
        )
    return {name: contract for name, contract in contracts.items() if not tables or name in tables}


def _refuse_changed_keys(ledger: Ledger, keys: Keyring) -> None:
    present = {version.version: version.kcv for version in keys.versions}
    changed = [number for number, kcv in ledger.key_checks().items() if present.get(number, kcv) != kcv]
    if changed:
        raise KeyUnusable(
            f"Key version {changed[0]} is not the key that earlier runs used under this version.",
            not_done=NO_ROW_READ,
            advice="Restore the keyring that the ledger's key check values name; a new key needs a new version.",
        )


def _load_tables(
    run: Run, contracts: Mapping[str, Contract], day: date, settings: Settings
) -> list[tuple[TableResult, dict[str, object]]]:
    plans: dict[str, TablePlan | KagemushaError] = {}
    with joined_snapshot(run.held.snapshot) as connection:
        for name, contract in contracts.items():
            plans[name] = _planned(connection, contract, day, settings.source.slice_mib * _MIB)
    largest_first = sorted(plans, key=lambda name: -_rows(plans[name]))
    with ThreadPoolExecutor(settings.limits.tables_at_once, thread_name_prefix="table") as pool:
        loads = {name: pool.submit(_load_table, run, name, plans[name]) for name in largest_first}
    return [loads[name].result() for name in contracts]


def _planned(
    connection: psycopg.Connection[tuple[object, ...]], contract: Contract, day: date, slice_bytes: int
) -> TablePlan | KagemushaError:
    try:
        return plan_table(connection, contract, day, slice_bytes)
    except KagemushaError as error:
        return error
    except psycopg.Error as error:
        state = error.sqlstate or "no SQLSTATE"
    return SourceUnavailable(f"The source's catalogue could not be read ({state}).", not_done=NO_ROW_READ)


def _rows(plan: TablePlan | KagemushaError) -> int:
    return plan.estimated_rows if isinstance(plan, TablePlan) else 0


def _load_table(run: Run, table: str, plan: TablePlan | KagemushaError) -> tuple[TableResult, dict[str, object]]:
    """Takes one table through stage, audit and publish; an error becomes its result."""
    started = time.monotonic()
    staged: Staged | None = None
    try:
        if isinstance(plan, KagemushaError):
            raise plan
        run.spark.sparkContext.setLocalProperty("spark.scheduler.pool", table)
        run.progress.say(table, "stage", slices=len(plan.slices), estimated_rows=plan.estimated_rows)
        staged = stage_table(run.spark, plan, run.held.snapshot, run.keys, run.key, run.target, run.run_id)
        totals = source_totals(run.held.snapshot, plan).without(staged.quarantine)
        run.held.check()
        run.progress.say(table, "audit", rows=staged.rows, bytes=staged.bytes)
        approved = audit(run.spark, staged, totals, run.target, run.suites)
        run.progress.say(table, "publish", expectations=len(approved.verdict.results))
        published = publish(approved, run.warehouse, run.target)
    except KagemushaError as error:
        failure = error
    except Exception as error:  # noqa: BLE001  its message could quote a value: only its type is kept
        failure = Unexpected(f"A step failed with {type(error).__name__}.", not_done=NOT_PUBLISHED)
    else:
        result = _published(table, approved, published, time.monotonic() - started)
        run.progress.say(
            table, "published", rows=result.rows, partitions=result.partitions, seconds=round(result.seconds, 1)
        )
        return result, _load_row(result, staged, approved)
    failure = failure.at(table=table)
    run.progress.say(table, "failed", error=str(failure), exit_code=failure.exit_code)
    result = TableResult(
        table,
        f"failed: {type(failure).__name__}",
        seconds=time.monotonic() - started,
        error=str(failure),
        exit_code=failure.exit_code,
    )
    return result, _load_row(result, staged, None)


def _published(table: str, approved: Approved, published: Published, seconds: float) -> TableResult:
    staged, verdict = approved.staged, approved.verdict
    return TableResult(
        table,
        "published",
        rows=published.rows,
        columns=len(staged.plan.contract.columns),
        masked_columns=len(staged.plan.contract.columns)
        - sum(one.kept for one in staged.plan.contract.columns.values()),
        bytes=staged.bytes,
        expectations=len(verdict.results),
        expectations_passed=verdict.passed,
        partitions=published.partitions,
        seconds=seconds,
        peak_mib=staged.peak_mib,
        quarantined=len(staged.quarantine.rows),
        job_ids=published.job_ids,
    )


def _load_row(result: TableResult, staged: Staged | None, approved: Approved | None) -> dict[str, object]:
    row: dict[str, object] = {**asdict(result), "table_name": result.table}
    if staged is not None:
        window = staged.plan.window
        row |= {
            "rows": staged.rows,
            "bytes": staged.bytes,
            "window_first": window.first if window else None,
            "window_last": window.last if window else None,
            "sums": staged.sums,
            "nulled": staged.nulled,
            "quarantined": [one.line for one in staged.quarantine.rows] or None,
            "contract_digest": staged.plan.contract.digest,
            "manifest_digest": staged.digest,
            "key_checks": staged.key_checks or None,
            "peak_mib": staged.peak_mib,
        }
    if approved is not None:
        row["warnings"] = [one.line for one in approved.verdict.warnings]
    return row


def _run_row(run_id: str, event: str, day: date, held: HeldSnapshot) -> dict[str, object]:
    package = ""
    with suppress(PackageNotFoundError):
        package = version("kagemusha")
    return {
        "run_id": run_id,
        "event": event,
        "day": day,
        "at": now(),
        "source_instance": held.snapshot.reader.instance,
        "snapshot": held.snapshot.name,
        "package_version": package,
    }


def _ending(outcome: RunResult) -> dict[str, object]:
    return {
        "tables": len(outcome.tables),
        "published": sum(one.outcome == "published" for one in outcome.tables),
        "exit_code": outcome.exit_code,
        "seconds": outcome.seconds,
    }
