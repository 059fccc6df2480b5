"""How a run ended: its tables, its views, its exit code."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

import pyarrow as pa

from etl.audit import Approved, Verdict
from etl.errors import worst
from etl.ledger import FailedCheck, LoadOutcome, TableResult, failed, failure_kind
from etl.publish import Published
from masking.errors import KagemushaError
from masking.leaks import MUST_NOT_BE_WRITTEN, count_leaks


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

    @property
    def reason(self) -> str:
        """Which tables failed, each with the kind of its error, and whether the views did; empty when all went well."""
        stopped = [f"{one.table}: {failure_kind(one.outcome) or one.outcome}" for one in self.tables if one.exit_code]
        return "; ".join([*stopped, *(["views were not published"] if self.error_code else [])])


@dataclass(frozen=True)
class TableLoad:
    """How one table of a run ended, and its row of `ops.table_loads`."""

    result: TableResult
    row: Mapping[str, object]


def published_result(approved: Approved, published: Published, seconds: float) -> TableResult:
    """Returns the result of a table that is published."""
    staged, verdict = approved.staged, approved.verdict
    columns = staged.plan.contract.columns
    return TableResult(
        staged.plan.table,
        LoadOutcome.PUBLISHED,
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
    """Returns the result of a table that a step refused."""
    return TableResult(
        table,
        failed(type(failure).__name__),
        rows=int(failure.where.get("rows_read", 0)),
        seconds=seconds,
        error=_writable(failure),
        exit_code=failure.exit_code,
        job_ids=tuple(job for job in failure.where.get("jobs", "").split(",") if job),
        expectations=len(verdict.results) if verdict else 0,
        expectations_passed=verdict.passed if verdict else 0,
        failed_checks=failed_checks(verdict) if verdict else (),
    )


def _writable(failure: KagemushaError) -> str:
    """Returns an error's text, unless it holds what looks like a card number: names in it are the source's own."""
    text = str(failure)
    if count_leaks(pa.array([text]), MUST_NOT_BE_WRITTEN):
        kind = type(failure).__name__
        return f"{kind}: its text holds what looks like a card number, and is withheld. {failure.not_done}"
    return text


def audited_result(table: str, verdict: Verdict) -> TableResult:
    """Returns the result of a table that was audited again, and no more."""
    return TableResult(
        table,
        LoadOutcome.AUDITED,
        expectations=len(verdict.results),
        expectations_passed=verdict.passed,
        failed_checks=failed_checks(verdict),
    )


def failed_checks(verdict: Verdict) -> tuple[FailedCheck, ...]:
    """Returns the checks that did not hold, those that stop the table first."""
    worst_first = (*verdict.blocking, *verdict.warnings)
    return tuple(
        FailedCheck(
            name=one.check.name,
            severity=one.check.severity,
            failed=one.failed,
            checked=one.checked,
            note=one.error or (f"waived by {one.waived_by}" if one.waived_by else ""),
            waived=bool(one.waived_by),
        )
        for one in worst_first
    )
