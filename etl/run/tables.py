"""The tables of a run, all under one snapshot of the source and side by side."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Final

from etl.audit import Auditor, gather_references, joined_tables, write_index
from etl.errors import NO_ROW_READ
from etl.installation import Installation
from etl.ledger import Leases, load_history
from etl.progress import Progress
from etl.publish import Publisher
from etl.run.ledger_rows import started_row
from etl.run.load_records import LoadRecords
from etl.run.planning import PlanOrRefusal, estimated_rows, plan_tables
from etl.run.request import Run, Selection
from etl.run.results import TableLoad
from etl.run.table_load import Gather, TableLoader
from etl.run.table_turns import TableTurns
from etl.source import Snapshot, hold_snapshot
from etl.stage import Stager
from etl.workers import NoWorker, Ways, named_failure, prove_workers, watched_workers
from masking.errors import KagemushaError

_MOST_THREADS: Final = 32
"""As many as `[limits].tables_at_once` may be; the tables of a run may be hundreds."""


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
    settings, location = installation.settings, installation.location
    with (
        hold_snapshot(
            settings.source,
            run.run_id,
            lambda step, counts: progress.say("source", step, **counts),
            tables=[contract.source for contract in selection.chosen.values()],
        ) as held,
        ThreadPoolExecutor(settings.limits.tables_at_once, thread_name_prefix="noting") as noting,
    ):
        from etl.spark import slots, spark_session  # noqa: PLC0415  Spark starts only when everything else answers

        installation.ledger.append("runs", [started_row(run, held.snapshot)])
        spark = spark_session()
        loader = TableLoader(
            stager=Stager(spark, held, installation.key, location, run.run_id),
            auditor=Auditor(spark, location, selection.suites),
            publisher=Publisher(installation.warehouse, location, run.accepted_deletes),
            gather=_gathering(installation, selection, run),
            turns=TableTurns(selection.chosen, settings.limits.tables_at_once),
            leases=leases,
            records=records,
            noting=noting,
            progress=progress,
        )
        plans = plan_tables(installation, selection, run, held, leases, slots(spark))
        with watched_workers(spark, settings.limits.worker_wait_seconds):
            joins = {name: joined_tables(contract) for name, contract in selection.chosen.items()}
            loads = _side_by_side(loader, plans, joins)
        write_index(run.run_id, [load.result for load in loads.values()], installation.bucket)
    return held.snapshot, loads


def prove_cluster(installation: Installation) -> None:
    """Proves a cluster's workers before the run holds anything; where Spark runs on this machine there is no need to.

    Raises:
        KagemushaError: the cluster has no worker, or one that cannot work; see `prove_workers`.
    """
    from etl.spark import on_cluster, spark_session  # noqa: PLC0415  the same

    if not on_cluster():
        return
    failure: KagemushaError | None = None
    settings = installation.settings
    try:
        spark = spark_session()
    except Exception as error:  # noqa: BLE001  only its kind is kept
        what = f"Spark's session on the cluster could not be opened: {type(error).__name__}."
        failure = named_failure(error, NO_ROW_READ) or NoWorker(what, not_done=NO_ROW_READ)
    if failure is not None:
        raise failure
    ways = Ways(installation.key, installation.location, settings.source)
    prove_workers(spark, ways, settings.limits.worker_wait_seconds)


def _gathering(installation: Installation, selection: Selection, run: Run) -> Gather:
    """Returns what gathers the references of a table; the ledger is asked once for the sizes of earlier loads."""
    warehouse = installation.warehouse
    history = load_history(warehouse, selection.chosen, run.day)
    return lambda staged, others: gather_references(staged, run.day, selection.known, others, history, warehouse)


def _side_by_side(
    loader: TableLoader, plans: Mapping[str, PlanOrRefusal], joins: Mapping[str, Collection[str]]
) -> dict[str, TableLoad]:
    """Loads every table in a thread, the largest first; how many work at once, turns decide.

    A table waits for those that it joins to be staged, and keeps its thread meanwhile. They have theirs before it, so
    that however few threads there are, one of them always has work.
    """
    largest_first = sorted(plans, key=lambda name: -estimated_rows(plans[name]))
    with ThreadPoolExecutor(min(len(plans), _MOST_THREADS), thread_name_prefix="table") as pool:
        loads = {name: pool.submit(loader.load, name, plans[name]) for name in joined_first(largest_first, joins)}
    return {name: loads[name].result() for name in plans}


def joined_first(tables: Sequence[str], joins: Mapping[str, Collection[str]]) -> list[str]:
    """Returns the tables in their order, but each after those that it joins; of tables in a circle one comes first."""
    order: dict[str, None] = {}
    entered: set[str] = set()

    def enter(name: str) -> None:
        if name in entered or name not in joins:
            return
        entered.add(name)
        for other in sorted(joins[name]):
            enter(other)
        order[name] = None

    for name in tables:
        enter(name)
    return list(order)
