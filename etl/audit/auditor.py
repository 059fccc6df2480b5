"""The audit: reconciliation with the source and Great Expectations on the staged bytes; all run, then one verdict.

Only this module can make an `Approved`, and publishing takes nothing else.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from etl.audit.comparisons import (
    file_results,
    freshness_results,
    join_results,
    manifest_results,
    newest_by_of,
    sum_results,
)
from etl.audit.orphans import TokenSources
from etl.audit.staged_frame import staged_frame
from etl.audit.table_checks import table_checks, table_suite
from etl.audit.verdict import Approved, References, Verdict, approve
from etl.audit.worker_counts import count_on_workers
from etl.cloud.storage.bucket import StagingLocation
from etl.spark import SMALL_ROWS, session_for
from etl.stage.source_totals import SourceTotals
from etl.stage.staged import Staged
from expectations.checks import CheckResult
from expectations.suite import BUNDLED, needed_columns
from expectations.validate import validate
from expectations.volume import LoadSize, volume_results

if TYPE_CHECKING:
    from pyspark.sql import SparkSession


def audit(
    spark: SparkSession,
    staged: Staged,
    totals: SourceTotals,
    target: StagingLocation,
    suites: Path = BUNDLED,
    around: References | None = None,
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
    target: StagingLocation,
    suites: Path = BUNDLED,
    around: References | None = None,
) -> Verdict:
    """Runs every check on staged files, whatever fails, and gives what was found; arguments as of `audit`.

    Raises:
        ContractInvalid: the table's own suite is wrong.
        KagemushaError: storage did not answer.
    """
    started, contract, beside = time.monotonic(), staged.plan.contract, around or References()
    suite, checks = table_suite(contract, suites), table_checks(contract, totals.rows, suites)
    intact = manifest_results(staged, target)
    results = [*intact, *sum_results(staged, totals)]
    if _passed(intact):  # otherwise the bytes to look at are not there
        session, schema = session_for(spark, staged.rows), staged.plan.output_schema
        rule = suite.joins
        joins = tuple(one for one in beside.joins if rule.check and one.column not in rule.leave_out)
        newest_by = newest_by_of(contract, suite.freshness) if beside.day else None
        seen = count_on_workers(spark, TokenSources(target, beside.warehouse), staged.files, schema, newest_by, joins)
        fits = file_results(seen.footers, staged)
        results += fits
        if _passed(fits):
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


def _passed(results: Sequence[CheckResult]) -> bool:
    return all(result.passed for result in results)
