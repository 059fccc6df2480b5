"""The ledger's rows of a run and of its tables."""

from __future__ import annotations

from dataclasses import asdict
from datetime import date

from etl.audit.verdict import Verdict
from etl.clock import now
from etl.ledger.outcomes import LoadOutcome
from etl.ledger.results import TableResult
from etl.ledger.rows import check_rows, package_version
from etl.run.results import RunResult
from etl.source.snapshot import Snapshot
from etl.stage.staged import Staged


def table_row(
    run_id: str, day: date, result: TableResult, staged: Staged | None, verdict: Verdict | None
) -> dict[str, object]:
    """Returns a table's row of `ops.table_loads`; what a step did not reach is absent."""
    row: dict[str, object] = {**asdict(result), "table_name": result.table, "run_id": run_id, "day": day, "at": now()}
    if staged is not None:
        window = staged.plan.window
        row |= {
            "rows": staged.rows,
            "bytes": staged.bytes,
            "window_first": window.first if window else None,
            "window_last": window.last if window else None,
            "watermark": staged.watermark,
            "sums": staged.sums,
            "nulls": staged.nulls,
            "nulled": staged.nulled,
            "quarantined": [one.line for one in staged.quarantine.rows] or None,
            "contract_digest": staged.plan.contract.digest,
            "manifest_digest": staged.digest,
            "partition_rows": partition_rows(staged),
            "key_checks": staged.key_checks or None,
            "peak_mib": staged.peak_mib,
        }
    if verdict is not None:
        row["warnings"] = [one.line for one in verdict.warnings]
        row["checks"] = check_rows(verdict.results)
    return row


def partition_rows(staged: Staged) -> dict[str, int] | None:
    """Returns the rows of each business day that was staged; None for a table that is replaced whole."""
    counted: dict[str, int] = {}
    for file in staged.files:
        if file.partition is not None:
            counted[file.partition.isoformat()] = counted.get(file.partition.isoformat(), 0) + file.rows
    return counted or None


def run_row(run_id: str, event: str, day: date, snapshot: Snapshot | None) -> dict[str, object]:
    """Returns a row of `ops.runs`; without a snapshot nothing had to be read."""
    return {
        "run_id": run_id,
        "event": event,
        "day": day,
        "at": now(),
        "source_instance": snapshot.reader.instance if snapshot else None,
        "snapshot": snapshot.name if snapshot else None,
        "package_version": package_version(),
    }


def ending(outcome: RunResult) -> dict[str, object]:
    """Returns what only a run's last row says."""
    return {
        "tables": len(outcome.tables),
        "published": sum(one.outcome == LoadOutcome.PUBLISHED for one in outcome.tables),
        "exit_code": outcome.exit_code,
        "seconds": outcome.seconds,
    }
