"""The tables of a run, all under one snapshot of the source and side by side."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Final

from etl.audit import Auditor, gather_references, joined_first, joined_tables, write_index
from etl.cloud.storage import note_run
from etl.installation import Installation
from etl.ledger import Leases, load_history
from etl.progress import Progress
from etl.publish import Publisher
from etl.run.planning import PlanOrRefusal, estimated_rows, plan_tables
from etl.run.record.ledger_rows import started_row
from etl.run.record.load_records import LoadRecords
from etl.run.record.results import TableLoad
from etl.run.request import Run, Selection
from etl.run.table_load import Gather, TableLoader
from etl.run.table_turns import TableTurns
from etl.source import Say, Snapshot, hold_snapshot
from etl.spark import slots, spark_session
from etl.stage import Stager
from etl.workers import watched_workers
from masking.errors import KagemushaError

_MOST_THREADS: Final = 32  # as many as `[limits].tables_at_once` may be


def load_tables(
    installation: Installation,
    selection: Selection,
    run: Run,
    leases: Leases,
    records: LoadRecords,
    progress: Progress,
) -> tuple[Snapshot | None, dict[str, TableLoad]]:
    """Loads the chosen tables and returns what was read, and how each table ended; without tables nothing is read."""
    if not selection.chosen:
        installation.ledger.append("runs", [started_row(run, None)])
        return None, {}
    settings, sources = installation.settings, [contract.source for contract in selection.chosen.values()]
    with (
        hold_snapshot(settings.source, run.run_id, _saying(progress), tables=sources) as held,
        ThreadPoolExecutor(settings.limits.tables_at_once, thread_name_prefix="noting") as noting,
    ):
        installation.ledger.append("runs", [started_row(run, held.snapshot)])
        spark = spark_session()  # made here, or waited for
        plans = plan_tables(installation, selection, run, held, leases, slots(spark))
        _note(installation, run, plans)
        location, turns = installation.location, TableTurns(selection.chosen, settings.limits.tables_at_once)
        loader = TableLoader(
            stager=Stager(spark, held, installation.key, location, run.run_id),
            auditor=Auditor(spark, location, selection.suites),
            publisher=Publisher(installation.warehouse, location, run.accepted_deletes),
            gather=_gathering(installation, selection, run),
            turns=turns,
            leases=leases,
            records=records,
            noting=noting,
            progress=progress,
        )
        loads = _side_by_side(loader, plans, selection, settings.limits.worker_wait_seconds)
        _note(installation, run, plans)
        write_index(run.run_id, [load.result for load in loads.values()], installation.bucket)
    return held.snapshot, loads


def _note(installation: Installation, run: Run, plans: Mapping[str, PlanOrRefusal]) -> None:
    """Notes that the run leaves files, if any table is loaded; as it begins and, should that fail, as it ends.

    Housekeeping fails no run: without a note the bucket's own rule deletes staged files, and `prepare` notes the rest.
    """
    if not all(isinstance(plan, KagemushaError) for plan in plans.values()):
        with suppress(KagemushaError):
            note_run(installation.bucket, run.run_id)


def _saying(progress: Progress) -> Say:
    return lambda step, counts: progress.say("source", step, **counts)


def _gathering(installation: Installation, selection: Selection, run: Run) -> Gather:
    """Returns what gathers the references of a table; the ledger is asked once for the sizes of earlier loads."""
    warehouse = installation.warehouse
    history = load_history(warehouse, selection.chosen, run.day)
    return lambda staged, others: gather_references(staged, run.day, selection.known, others, history, warehouse)


def _side_by_side(
    loader: TableLoader, plans: Mapping[str, PlanOrRefusal], of: Selection, wait_seconds: float
) -> dict[str, TableLoad]:
    """Loads every table in a thread that it keeps while it waits; those that it joins have theirs before it."""
    joins = {name: joined_tables(contract) for name, contract in of.chosen.items()}
    largest_first = sorted(plans, key=lambda name: -estimated_rows(plans[name]))
    threads = ThreadPoolExecutor(min(len(plans), _MOST_THREADS), thread_name_prefix="table")
    with watched_workers(loader.stager.spark, wait_seconds), threads as pool:
        loads = {name: pool.submit(loader.load, name, plans[name]) for name in joined_first(largest_first, joins)}
    return {name: loads[name].result() for name in plans}
