"""Tells other tools how a run ended, where the settings say so; whatever goes wrong with that, the run stands."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from etl.clock import now
from etl.exports.lineage import events, send
from etl.exports.metrics import emf_lines, prometheus_text
from etl.ledger import TableResult
from etl.progress import Progress
from etl.settings import Settings
from schemas.contract import Contract


def tell(
    settings: Settings,
    contracts: Mapping[str, Contract],
    run_id: str,
    tables: Sequence[TableResult],
    progress: Progress,
) -> None:
    """Sends lineage and writes metrics, as the settings say; a failure is a warning, and no more."""
    ended = now()

    def lineage() -> None:
        if settings.lineage.to:
            send(settings.lineage.to, events(settings, contracts, run_id, tables, ended))

    def metrics() -> None:
        if settings.metrics.emf:
            for line in emf_lines(tables, ended):
                print(line, flush=True)  # noqa: T201  CloudWatch reads what a job prints
        if settings.metrics.prometheus_file:
            settings.metrics.prometheus_file.write_text(prometheus_text(tables, ended), encoding="utf-8")

    for what, step in (("lineage", lineage), ("metrics", metrics)):
        _tried(what, step, progress)


def _tried(what: str, step: Callable[[], None], progress: Progress) -> None:
    failed = ""
    try:
        step()
    except Exception as error:  # noqa: BLE001  a run does not fail for what is told of it; its text may hold an address
        failed = type(error).__name__
    if failed:
        progress.say(what, "warning", error=failed)
