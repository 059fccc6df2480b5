"""The daily run: the only module that knows the order of the steps."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from pathlib import Path
from typing import Final

from etl.clock import now
from etl.cloud.storage import delete_expired
from etl.exports.tell import tell
from etl.installation import Installation
from etl.ledger import record_keys, write_report
from etl.plan import Scope
from etl.progress import Progress
from etl.publish import holding, publish_views
from etl.reports.proof.contracts_of_run import keep_contracts
from etl.run.record.ledger_rows import ended_row, run_report
from etl.run.record.load_records import LoadRecords, load_proofs
from etl.run.record.results import RunResult, TableLoad
from etl.run.request import Run, Selection
from etl.run.resume import already_loaded
from etl.run.rotation import prove_tokens_join
from etl.run.tables import load_tables
from etl.settings import Settings
from etl.site.of_run import write_site_of_run
from etl.source import Snapshot
from etl.spark import begin_session
from etl.workers import prove_cluster
from expectations.suite import BUNDLED as SUITES
from masking.errors import KagemushaError
from schemas.contract_file import BUNDLED as CONTRACTS

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
    accepted_deletes: int = 0,
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
        accepted_deletes: how many rows a merge may delete beyond what its contract lets one run delete.

    Raises:
        KagemushaError: nothing could be read at all: contracts or their policy, settings, login, endpoint, bucket,
            BigQuery, keyring; or other runs hold all of the tables.
    """
    selection = Selection.read(contracts, suites, tables, settings.bigquery)
    begin_session()
    return run_selected(settings, selection, Run.begin(day, scopes, accepted_deletes), progress, resume=resume)


def run_selected(
    settings: Settings, selection: Selection, run: Run, progress: Progress, *, resume: bool = False
) -> RunResult:
    """Loads what was read of contracts and suites, for which Spark may have begun to start; see `daily_run`."""
    return load_day(Installation.open(settings), selection.checked(), run, progress, resume=resume)


def load_day(
    installation: Installation, selection: Selection, run: Run, progress: Progress, *, resume: bool = False
) -> RunResult:
    """Takes a run that has begun through all steps; see `daily_run`.

    Args:
        installation: opened.
        selection: the tables, their suites checked.
        run: what is read of them.
        progress: hears of every step.
        resume: leaves out the tables of which the ledger proves that this load is done.
    """
    key_use = record_keys(installation.ledger, installation.keys, run.run_id)
    prove_cluster(installation)
    tables, limits = list(selection.chosen.values()), installation.settings.limits
    with holding(installation.ledger, run.run_id, tables, limits) as leases:
        prove_tokens_join(installation, selection, key_use, run.run_id)
        proofs = load_proofs(installation, selection, run, leases)
        records = LoadRecords(installation.ledger, installation.keys, run, proofs)
        done = already_loaded(records, selection.chosen, progress) if resume else {}
        snapshot, loaded = load_tables(installation, selection.without(done), run, leases, records, progress)
    loads = done | loaded
    views, failure = _publish_views(installation, selection)
    result = RunResult(
        run_id=run.run_id,
        day=run.day,
        tables=tuple(loads[name].result for name in selection.chosen),
        views=views,
        seconds=run.seconds,
        error=str(failure or ""),
        error_code=failure.exit_code if failure else 0,
    )
    if installation.key.version not in key_use.used:
        record_keys(installation.ledger, installation.keys, run.run_id)
    _record(installation, selection, result, snapshot, list(loads.values()), progress)
    tell(installation.settings, selection.known, run.run_id, result.tables, progress)
    return result


def _publish_views(installation: Installation, selection: Selection) -> tuple[tuple[str, ...], KagemushaError | None]:
    """Publishes the views; an error becomes a part of the result, because the tables are published already."""
    try:
        return publish_views(installation.warehouse, selection.known, selection.views), None
    except KagemushaError as error:
        return (), error


def _record(
    installation: Installation,
    selection: Selection,
    result: RunResult,
    snapshot: Snapshot | None,
    loads: Sequence[TableLoad],
    progress: Progress,
) -> None:
    """Writes down how the run ended, leaves its report and contracts beside the files, and deletes expired ones."""
    installation.ledger.append("runs", [ended_row(result, snapshot)])
    report = run_report(result, snapshot, [load.row for load in loads])
    write_report(installation.bucket, result.run_id, report)
    keep_contracts(installation.bucket, result.run_id, selection.known)
    _write_site(installation, selection, result.run_id, progress)
    delete_expired(installation.bucket, now() - timedelta(days=installation.settings.stage.keep_days))


def _write_site(installation: Installation, selection: Selection, run_id: str, progress: Progress) -> None:
    """Leaves the site beside the staged files, where the settings say so; a site that fails is told, and no more."""
    if installation.settings.site.write:
        ended = write_site_of_run(installation, run_id, selection.folder)
        progress.say("site", "warning" if ended.failure else "published", **ended.said)
