"""The ledger's rows of a run and of its tables."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import date

from etl.audit import Verdict
from etl.clock import now
from etl.ledger import LoadOutcome, TableResult, check_rows, package_version
from etl.run.record.results import RunResult
from etl.run.request import Run
from etl.source import Snapshot
from etl.stage import Manifest, Staged


def table_row(
    run_id: str, day: date, result: TableResult, staged: Staged | None, verdict: Verdict | None
) -> dict[str, object]:
    """Returns a table's row of `ops.table_loads`; what a step did not reach is absent."""
    told = {**asdict(result), "quarantined": None}  # a number there, the rows themselves here
    row: dict[str, object] = {**told, "table_name": result.table, "run_id": run_id, "day": day, "at": now()}
    if staged is not None:
        row |= _staged_part(staged)
    row["step_seconds"] = _step_seconds(staged, verdict) or None
    if verdict is not None:
        row |= {"warnings": [one.line for one in verdict.warnings], **check_rows(verdict.results)}
    return row


def _step_seconds(staged: Staged | None, verdict: Verdict | None) -> dict[str, float]:
    stage = {"stage": round(staged.seconds, 2)} if staged else {}
    return {**stage, "audit": round(verdict.seconds, 2)} if verdict else stage


def _staged_part(staged: Staged) -> dict[str, object]:
    window = staged.plan.window
    return {
        "rows": staged.rows,
        "bytes": staged.bytes,
        "window_first": window.first if window else None,
        "window_last": window.last if window else None,
        "watermark": staged.watermark,
        "source_origin": staged.plan.definition.origin if staged.plan.definition else None,
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


def stage_row(day: date, manifest: Manifest) -> dict[str, object]:
    """Returns the row of `ops.stages` by which the ledger knows a stage."""
    staged = manifest.staged
    return {
        "run_id": staged.run_id,
        "table_name": staged.plan.table,
        "day": day,
        "contract_digest": manifest.contract_digest,
        "manifest_digest": staged.digest,
        "key_version": manifest.key_version,
        "signature": manifest.signature,
        "at": manifest.staged_at,
    }


def partition_rows(staged: Staged) -> dict[str, int] | None:
    """Returns the rows of each business day that was staged; None for a table that is replaced whole."""
    counted: Counter[str] = Counter()
    for file in staged.files:
        if file.partition is not None:
            counted[file.partition.isoformat()] += file.rows
    return dict(counted) or None


def started_row(run: Run, snapshot: Snapshot | None) -> dict[str, object]:
    """Returns the row of `ops.runs` that says that a run began; without a snapshot nothing had to be read."""
    return _run_row(run.run_id, "started", run.day, snapshot)


def ended_row(result: RunResult, snapshot: Snapshot | None) -> dict[str, object]:
    """Returns the row of `ops.runs` that says how a run ended."""
    return {
        **_run_row(result.run_id, "ended", result.day, snapshot),
        "tables": len(result.tables),
        "published": sum(one.outcome == LoadOutcome.PUBLISHED for one in result.tables),
        "exit_code": result.exit_code,
        "seconds": result.seconds,
    }


def run_report(
    result: RunResult, snapshot: Snapshot | None, loads: Sequence[Mapping[str, object]]
) -> dict[str, object]:
    """Returns the report that stays beside the staged files: how the run ended, and its tables' rows of the ledger."""
    return {
        **asdict(result),
        "exit_code": result.exit_code,
        "snapshot": snapshot.name if snapshot else None,
        "loads": loads,
    }


def _run_row(run_id: str, event: str, day: date, snapshot: Snapshot | None) -> dict[str, object]:
    return {
        "run_id": run_id,
        "event": event,
        "day": day,
        "at": now(),
        "source_instance": snapshot.reader.instance if snapshot else None,
        "snapshot": snapshot.name if snapshot else None,
        "package_version": package_version(),
    }
