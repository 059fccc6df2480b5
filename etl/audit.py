"""The audit: reconciliation with the source and Great Expectations on the staged bytes; all run, then one verdict.

Only this module can make an `Approved`, and publishing takes nothing else.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Final

from etl.comparisons import file_results, freshness_results, join_results, manifest_results, newest_by_of, sum_results
from etl.errors import NOT_PUBLISHED, AuditFailed
from etl.handoff import Staged
from etl.reconcile import SourceTotals
from etl.settings import BigQuery
from etl.spark import SMALL_ROWS, session_for
from etl.staged_frame import staged_frame
from etl.storage import StageTarget
from etl.survey import Join, Place, survey
from etl.table_checks import table_checks, table_suite
from etl.waivers import Waiver
from expectations.checks import CheckResult
from expectations.suite import BUNDLED, needed_columns
from expectations.validate import validate
from expectations.volume import LoadSize, volume_results

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

_SEAL: Final = object()


@dataclass(frozen=True)
class Surroundings:
    """What a table is compared with besides its source: other tables, earlier loads, the business day.

    Attributes:
        joins: the columns whose tokens are looked up, and where.
        warehouse: BigQuery, where a join's other side was not staged in this run.
        earlier: sizes of the table's earlier loads, newest first.
        day: the business day that is loaded; None where nothing has to be new.
    """

    joins: tuple[Join, ...] = ()
    warehouse: BigQuery | None = None
    earlier: tuple[LoadSize, ...] = ()
    day: date | None = None


@dataclass(frozen=True)
class Verdict:
    """What the audit found: one result a check."""

    results: tuple[CheckResult, ...]
    seconds: float

    @property
    def passed(self) -> int:
        """How many checks passed."""
        return sum(result.passed for result in self.results)

    @property
    def blocking(self) -> tuple[CheckResult, ...]:
        """The results that stop the table."""
        return tuple(result for result in self.results if result.blocks)

    @property
    def warnings(self) -> tuple[CheckResult, ...]:
        """The results that are reported and do not stop the table, waived ones too."""
        return tuple(result for result in self.results if not result.passed and not result.blocks)

    def with_waivers(self, staged: Staged, waivers: Sequence[Waiver]) -> Verdict:
        """Gives the verdict with the failures marked that waivers let pass, where they may be waived at all.

        Args:
            staged: the manifest that was examined.
            waivers: proven ones.
        """
        return replace(self, results=tuple(_waived(result, staged, waivers) for result in self.results))


class Approved:
    """Proof that a table's staged files passed the audit; what `publish` takes."""

    def __init__(self, staged: Staged, verdict: Verdict, seal: object) -> None:
        if seal is not _SEAL:
            raise TypeError("Only the audit makes an Approved.")
        self.staged = staged
        self.verdict = verdict


def audit(
    spark: SparkSession,
    staged: Staged,
    totals: SourceTotals,
    target: StageTarget,
    suites: Path = BUNDLED,
    around: Surroundings | None = None,
) -> Approved:
    """Checks staged files and gives the proof that they may be published.

    Args:
        spark: the session whose workers read the staged files.
        staged: the manifest.
        totals: the source's own aggregates under the run's snapshot.
        target: the staging bucket.
        suites: the folder of the tables' own suites.
        around: what else the table is compared with.

    Raises:
        AuditFailed: a blocking check failed, or storage holds other bytes than were staged; names and counts only.
        ContractInvalid: the table's own suite is wrong.
    """
    return approve(staged, examine(spark, staged, totals, target, suites, around))


def examine(
    spark: SparkSession,
    staged: Staged,
    totals: SourceTotals,
    target: StageTarget,
    suites: Path = BUNDLED,
    around: Surroundings | None = None,
) -> Verdict:
    """Runs every check on staged files, whatever fails, and gives what was found; arguments as of `audit`.

    Raises:
        ContractInvalid: the table's own suite is wrong.
        KagemushaError: storage did not answer.
    """
    started, contract, beside = time.monotonic(), staged.plan.contract, around or Surroundings()
    suite, checks = table_suite(contract, suites), table_checks(contract, totals.rows, suites)
    results = [*manifest_results(staged, target), *sum_results(staged, totals)]
    if results[0].passed:  # otherwise the bytes to look at are not there
        session, schema = session_for(spark, staged.rows), staged.plan.output_schema
        rule = suite.joins
        joins = tuple(one for one in beside.joins if rule.check and one.column not in rule.leave_out)
        newest_by = newest_by_of(contract, suite.freshness) if beside.day else None
        seen = survey(spark, Place(target, beside.warehouse), staged.files, schema, newest_by, joins)
        results += file_results(seen.footers, staged)
        if all(result.passed for result in results[-2:]):
            columns = needed_columns(checks, contract.published)
            names = [file.name for file in staged.files]
            parts = 1 if staged.rows <= SMALL_ROWS else None
            frame = staged_frame(session, target, names, schema, columns, parts).persist()
            try:
                results += validate(frame, checks, f"{staged.run_id}.{contract.table}")
            finally:
                frame.unpersist()
        results += join_results(joins, seen.orphans, rule)
        results += freshness_results(suite.freshness, newest_by, seen.footers.newest, beside.day)
    results += volume_results(suite.volume, LoadSize(staged.rows, staged.nulls), beside.earlier)
    return Verdict(tuple(results), time.monotonic() - started)


def approve(staged: Staged, verdict: Verdict, waivers: Sequence[Waiver] = ()) -> Approved:
    """Gives the proof that staged files may be published, where nothing that blocks is left.

    Args:
        staged: the manifest that was examined.
        verdict: what was found.
        waivers: proven ones; each lets the failure that it names pass, where it may be waived at all.

    Raises:
        AuditFailed: a blocking check failed.
    """
    judged = verdict.with_waivers(staged, waivers)
    if judged.blocking:
        failed = "; ".join(one.line for one in judged.blocking)
        raise AuditFailed(
            f"{len(judged.blocking)} of {len(judged.results)} checks failed: {failed}.",
            not_done=NOT_PUBLISHED,
            where={"table": staged.plan.table, "run": staged.run_id},
        )
    return Approved(staged, judged, _SEAL)


def _waived(result: CheckResult, staged: Staged, waivers: Sequence[Waiver]) -> CheckResult:
    if result.passed or not result.check.waivable:
        return result
    signed = next((one for one in waivers if one.lets_through(staged, result.check)), None)
    return replace(result, waived_by=signed.by) if signed else result
