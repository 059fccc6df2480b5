"""What the ledger and the run report say of runs and tables; names, counts, sums, digests and times."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import date
from importlib.metadata import PackageNotFoundError, version

from etl.audit import Approved, Verdict
from etl.errors import worst
from etl.handoff import FailedCheck, Published, Staged, TableResult
from etl.ledger import now
from etl.source.snapshot import Snapshot
from expectations.checks import CheckResult
from masking.errors import KagemushaError


@dataclass(frozen=True)
class RunResult:
    """How a run ended.

    Attributes:
        views: names of the views that stand.
        error: what kept the views from being published, or empty.
    """

    run_id: str
    day: date
    tables: tuple[TableResult, ...]
    views: tuple[str, ...]
    seconds: float
    error: str = ""
    error_code: int = 0

    @property
    def exit_code(self) -> int:
        """0 published · 1 audit or leak stopped a table · 2 contract or settings must change · 3 run again."""
        return worst(self.error_code, *(result.exit_code for result in self.tables))


def published_result(approved: Approved, published: Published, seconds: float) -> TableResult:
    """Gives the result of a table that is published."""
    staged, verdict = approved.staged, approved.verdict
    columns = staged.plan.contract.columns
    return TableResult(
        staged.plan.table,
        "published",
        rows=published.rows,
        columns=len(columns),
        masked_columns=len(columns) - sum(column.kept for column in columns.values()),
        bytes=staged.bytes,
        expectations=len(verdict.results),
        expectations_passed=verdict.passed,
        partitions=published.partitions,
        seconds=seconds,
        peak_mib=staged.peak_mib,
        quarantined=len(staged.quarantine.rows),
        job_ids=published.job_ids,
        keys_compared=published.keys_compared,
        deleted=published.deleted,
        failed_checks=failed_checks(verdict),
    )


def failed_result(table: str, failure: KagemushaError, seconds: float, verdict: Verdict | None = None) -> TableResult:
    """Gives the result of a table that a step refused."""
    return TableResult(
        table,
        f"failed: {type(failure).__name__}",
        seconds=seconds,
        error=str(failure),
        exit_code=failure.exit_code,
        job_ids=tuple(job for job in failure.where.get("jobs", "").split(",") if job),
        expectations=len(verdict.results) if verdict else 0,
        expectations_passed=verdict.passed if verdict else 0,
        failed_checks=failed_checks(verdict) if verdict else (),
    )


def audited_result(table: str, verdict: Verdict) -> TableResult:
    """Gives the result of a table that was audited again, and no more."""
    return TableResult(
        table,
        "audited",
        expectations=len(verdict.results),
        expectations_passed=verdict.passed,
        failed_checks=failed_checks(verdict),
    )


def failed_checks(verdict: Verdict) -> tuple[FailedCheck, ...]:
    """Gives the checks that did not hold, those that stop the table first."""
    worst_first = (*verdict.blocking, *verdict.warnings)
    return tuple(
        FailedCheck(
            one.check.name,
            one.check.severity,
            one.failed,
            one.checked,
            one.error or (f"waived by {one.waived_by}" if one.waived_by else ""),
        )
        for one in worst_first
    )


def table_row(
    run_id: str, day: date, result: TableResult, staged: Staged | None, verdict: Verdict | None
) -> dict[str, object]:
    """Gives a table's row of `ops.table_loads`; what a step did not reach is absent."""
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
    """Gives the rows of each business day that was staged; None for a table that is replaced whole."""
    counted: dict[str, int] = {}
    for file in staged.files:
        if file.partition is not None:
            counted[file.partition.isoformat()] = counted.get(file.partition.isoformat(), 0) + file.rows
    return counted or None


def check_rows(results: Sequence[CheckResult]) -> list[dict[str, object]]:
    """Gives a row of `ops.audits` for each check; they are written with the table's own row, in one step."""
    return [
        {
            "expectation": one.check.expect,
            "columns": list(one.check.columns),
            "severity": one.check.severity,
            "origin": one.check.origin,
            "passed": one.passed,
            "failed": one.failed,
            "checked": one.checked,
            "error": one.error or None,
            "waived_by": one.waived_by or None,
        }
        for one in results
    ]


def package_version() -> str:
    """Gives the version of this package; empty where it runs from a checkout that is not installed."""
    with suppress(PackageNotFoundError):
        return version("kagemusha")
    return ""


def run_row(run_id: str, event: str, day: date, snapshot: Snapshot | None) -> dict[str, object]:
    """Gives a row of `ops.runs`; without a snapshot nothing had to be read."""
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
    """Gives what only a run's last row says."""
    return {
        "tables": len(outcome.tables),
        "published": sum(one.outcome == "published" for one in outcome.tables),
        "exit_code": outcome.exit_code,
        "seconds": outcome.seconds,
    }
