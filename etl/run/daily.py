"""The daily run: the only module that knows the order of the steps."""

from __future__ import annotations

import secrets
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from datetime import date, timedelta
from pathlib import Path
from typing import Final

from etl.audit.data_docs import write_index
from etl.audit.table_checks import table_checks
from etl.clock import now
from etl.cloud.bigquery.warehouse import Warehouse
from etl.cloud.storage.bucket import StagingBucket, StagingLocation
from etl.keys.keyrings import open_keyring
from etl.ledger.key_events import record_keys
from etl.ledger.leases import leased
from etl.ledger.ledger import Ledger, write_report
from etl.ledger.loads import load_history
from etl.plan.scope import Scope
from etl.plan.table_plan import TablePlan
from etl.progress import Progress
from etl.publish.views import View, load_views, publish_views
from etl.run.ledger_rows import ending, run_row
from etl.run.results import RunResult
from etl.run.resume import ALREADY_LOADED, Load, already_loaded, basis
from etl.run.table_load import _MIB, Run, _load_table, _planned, _rows
from etl.run.table_turns import TableTurns
from etl.settings import Settings
from etl.source.open import hold_snapshot, join_snapshot
from etl.source.snapshot import Snapshot
from expectations.suite import BUNDLED as SUITES
from masking.errors import KagemushaError
from masking.keyring import KeyRef
from schemas.contract import Contract
from schemas.contract_file import BUNDLED as CONTRACTS
from schemas.contract_file import load_contracts, select_contracts
from schemas.policy import refuse_breaches

_EVERY_DAY: Final[Mapping[str, Scope]] = {}


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
    chosen, views = select_contracts(known, tables), load_views(contracts / "views")
    for contract in chosen.values():
        table_checks(contract, 0, suites)
    keys = open_keyring(KeyRef(settings.keyring.ref))
    key = KeyRef(settings.keyring.ref, keys.primary, keys.version(keys.primary).kcv)  # rotations meanwhile do not count
    target = StagingLocation.of(settings)
    stage, warehouse = StagingBucket(target), Warehouse.of(settings)
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
            with hold_snapshot(
                settings.source, run_id, lambda step, counts: progress.say("source", step, **counts)
            ) as held:
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
                    TableTurns(pending, limits.tables_at_once),
                    settings.cards.own_iins,
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
    with run.held.governor.turn(), join_snapshot(run.held.snapshot) as session:
        for name, contract in contracts.items():
            refusal = run.leases.refusal(contract.publish)
            plans[name] = refusal or _planned(run, session, contract, settings.source.slice_mib * _MIB)
    largest_first = sorted(plans, key=lambda name: -_rows(plans[name]))
    with ThreadPoolExecutor(len(plans), thread_name_prefix="table") as pool:  # how many work at once, turns decide
        loads = {name: pool.submit(_load_table, run, name, plans[name]) for name in largest_first}
    return {name: loads[name].result() for name in contracts}
