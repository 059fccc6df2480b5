"""The audit: reconciliation with the source and Great Expectations on the staged bytes; all run, then one verdict.

Only this module can make an `Approved`, and publishing takes nothing else.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from etl.audit.comparisons import (
    emptied_results,
    file_results,
    freshness_results,
    join_results,
    manifest_results,
    newest_by_of,
    sum_results,
)
from etl.audit.orphans import TokenSources
from etl.audit.reading import declared_results, leak_results, read_staged, rules_of
from etl.audit.table_checks import checks_of, table_suite
from etl.audit.verdict import Approved, References, Verdict, approve
from etl.cloud.storage import StagingLocation
from etl.stage import SourceTotals, Staged
from expectations.checks import Check, CheckResult
from expectations.suite import BUNDLED, Suite
from expectations.volume import LoadSize, volume_results

if TYPE_CHECKING:
    from pyspark.sql import SparkSession


@dataclass(frozen=True)
class Auditor:
    """Audits the staged tables of one run.

    Attributes:
        spark: the session whose workers read the staged files.
        location: the staging bucket.
        suites: the folder of the tables' own suites.
    """

    spark: SparkSession
    location: StagingLocation
    suites: Path = BUNDLED

    def audit(self, staged: Staged, totals: SourceTotals) -> Approved:
        """Checks staged files against their source alone and gives the proof that they may be published.

        Raises:
            AuditFailed: a blocking check failed, or storage holds other bytes than were staged; names and counts only.
            ContractInvalid: the table's own suite is wrong.
        """
        return approve(staged, self.examine(staged, totals))

    def examine(self, staged: Staged, totals: SourceTotals, references: References | None = None) -> Verdict:
        """Runs every check on staged files, whatever fails, and gives what was found.

        Args:
            staged: the manifest.
            totals: the source's own aggregates under the run's snapshot.
            references: what else the table is compared with.

        Raises:
            ContractInvalid: the table's own suite is wrong.
            KagemushaError: storage did not answer.
        """
        started, contract, beside = time.monotonic(), staged.plan.contract, references or References()
        self.spark.sparkContext.setLocalProperty("spark.scheduler.pool", contract.table)  # tables share the cores
        suite, checks = table_suite(contract, self.suites), checks_of(contract, totals.rows, self.suites)
        intact = manifest_results(staged, self.location)
        results = [*intact, *sum_results(staged, totals)]
        if _passed(intact):  # otherwise the bytes to look at are not there
            results += self._file_results(staged, suite, checks, beside)
        results += emptied_results(staged, beside.earlier)
        results += volume_results(suite.volume, LoadSize(staged.rows, staged.nulls), beside.earlier)
        return Verdict(tuple(results), time.monotonic() - started)

    def _file_results(
        self, staged: Staged, suite: Suite, checks: Sequence[Check], beside: References
    ) -> list[CheckResult]:
        """Looks into the files: their shape, their values where the shape is right, their joins and their age."""
        rule = suite.joins
        joins = tuple(one for one in beside.joins if rule.check and one.column not in rule.leave_out)
        newest_by = newest_by_of(staged.plan.contract, suite.freshness) if beside.day else None
        from etl.audit.value_checks import ValueChecks  # noqa: PLC0415  Great Expectations, which workers do without

        values = ValueChecks(self.spark, self.location, staged, checks)
        rules = rules_of(staged, newest_by, values.measures)
        found = read_staged(self.spark, TokenSources(self.location, beside.warehouse), staged.files, rules, joins)
        seen = found.seen
        fits = file_results(seen.footers, staged)
        results = [*fits, *leak_results(seen.leaks, rules.leaks, rules.schema, staged.rows)]
        if _passed(fits):
            results += values.results(seen.answers(rules))
            results += declared_results(staged.plan.contract, seen.declared)
        results += join_results(joins, found.orphans, rule)
        results += freshness_results(suite.freshness, newest_by, seen.footers.newest, beside.day)
        return results


def _passed(results: Sequence[CheckResult]) -> bool:
    return all(result.passed for result in results)
