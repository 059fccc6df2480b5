"""Comparisons that the audit makes itself: with storage, the source, other tables and the clock; counts only."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Final

from etl.audit.orphans import Join, Orphans
from etl.audit.reading.footers import Footers
from etl.cloud.storage import StagingLocation
from etl.stage import SourceTotals, Staged, changed_files
from expectations.checks import Check, CheckResult
from expectations.suite import Freshness, Joins
from expectations.volume import LoadSize
from masking.errors import KagemushaError
from schemas.contract import Contract
from schemas.loads import PartitionLoad

_LEAST_SHARE: Final = 0.1
"""Of the last load's rows; a table that is replaced by fewer has lost most of them."""
_SUPPOSED_ROWS: Final = 10_000
"""Statistics below this may be supposed: PostgreSQL takes a table without any for ten pages."""


def manifest_results(staged: Staged, target: StagingLocation) -> Sequence[CheckResult]:
    """Storage's own description of every file equals what the workers wrote."""
    wrong = changed_files(staged, target)
    check = Check("staged_files_equal_manifest", origin="reconciliation")
    return [CheckResult(check, passed=wrong == 0, failed=wrong, checked=len(staged.files))]


def sum_results(staged: Staged, totals: SourceTotals) -> Sequence[CheckResult]:
    """The sums of kept money columns equal the source's, digit by digit."""
    return [
        CheckResult(
            Check("sum_equals_source", {"column": name}, origin="reconciliation"), passed=staged.sums[name] == total
        )
        for name, total in totals.sums.items()
    ]


def emptied_results(staged: Staged, earlier: Sequence[LoadSize]) -> Sequence[CheckResult]:
    """A load does not replace rows by none, or a whole table by far fewer, unless the contract or a waiver says so.

    What is expected of a whole table are the rows of the last load; of a first one, those that the source's statistics
    know of, where they know of more than PostgreSQL supposes of a table that it has never looked at. Of business days,
    something is expected where the last load of one of them had rows: a quiet new day replaces nothing.
    """
    plan = staged.plan
    if plan.contract.may_be_empty or plan.merges:
        return ()
    if isinstance(plan.contract.load, PartitionLoad):
        least = min(1, _rows_to_replace(staged, earlier))
    elif earlier:
        least = math.ceil(earlier[0].rows * _LEAST_SHARE)
    else:
        least = int(plan.window is None and plan.estimated_rows >= _SUPPOSED_ROWS)
    if not least:
        return ()
    check = Check("load_is_not_emptied", {"least": least}, origin="history")
    return [CheckResult(check, passed=staged.rows >= least, failed=max(0, least - staged.rows), checked=staged.rows)]


def _rows_to_replace(staged: Staged, earlier: Sequence[LoadSize]) -> int:
    """Returns the rows that earlier loads left in the days of the window; the newest load of a day counts."""
    known: dict[str, int] = {}
    for load in earlier:  # newest first
        known = {**load.days, **known}
    window = staged.plan.window
    return sum(known.get(day.isoformat(), 0) for day in window.days) if window else 0


def file_results(footers: Footers, staged: Staged) -> Sequence[CheckResult]:
    """Every file says itself that it has the planned columns, in order and type, and the manifest's rows."""
    counts = {
        "staged_schema_equals_contract": footers.wrong_schema,
        "staged_rows_equal_manifest": footers.wrong_rows,
    }
    return [
        CheckResult(Check(name, origin="reconciliation"), passed=wrong == 0, failed=wrong, checked=len(staged.files))
        for name, wrong in counts.items()
    ]


def join_results(
    joins: Sequence[Join], found: Mapping[str, Orphans | KagemushaError], rule: Joins
) -> Sequence[CheckResult]:
    """Tokens of a column are found in the table that the contract says it joins; orphans are counted."""
    results = []
    for join in joins:
        check = Check(
            "tokens_found_in_joined_table",
            {"column": join.column, "in": join.target, "mostly": rule.mostly},
            rule.severity,
            "join",
        )
        orphans = found[join.column]
        if isinstance(orphans, KagemushaError):
            results.append(CheckResult(check, passed=False, error=type(orphans).__name__))
            continue
        enough = orphans.checked - orphans.failed >= rule.mostly * orphans.checked
        results.append(CheckResult(check, passed=enough, failed=orphans.failed, checked=orphans.checked))
    return results


def newest_by_of(contract: Contract, rule: Freshness) -> str | None:
    """Returns the column that says how new the rows are; None where freshness is not checked."""
    if not rule.check:
        return None
    return rule.column or (contract.window_column if isinstance(contract.load, PartitionLoad) else None)


def freshness_results(
    rule: Freshness, column: str | None, newest: datetime | None, day: date | None
) -> Sequence[CheckResult]:
    """The newest row is not too old at the end of the business day in Japan."""
    if column is None or day is None:
        return ()
    ends = datetime(day.year, day.month, day.day, 15, tzinfo=UTC)
    fresh = newest is not None and newest >= ends - timedelta(hours=rule.within_hours)
    check = Check("newest_row_is_fresh", {"column": column, "hours": rule.within_hours}, rule.severity, "history")
    return [CheckResult(check, passed=fresh)]
