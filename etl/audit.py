"""The audit: reconciliation with the source and Great Expectations on the staged bytes; all run, then one verdict.

Only this module can make an `Approved`, and publishing takes nothing else.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from etl.errors import NOT_PUBLISHED, AuditFailed
from etl.handoff import Staged
from etl.manifest import changed_files
from etl.reconcile import SourceTotals
from etl.spark import session_for
from etl.staged_frame import staged_frame
from etl.storage import StageTarget
from expectations.checks import Check, CheckResult, SuiteInvalid
from expectations.derived import TableFacts, derived_checks
from expectations.suite import BUNDLED, load_suite, needed_columns
from expectations.validate import built, validate
from schemas.contract import Contract
from schemas.errors import ContractInvalid

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

_SEAL: Final = object()


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
        """The results that are reported and do not stop the table."""
        return tuple(result for result in self.results if not result.passed and not result.blocks)


class Approved:
    """Proof that a table's staged files passed the audit; what `publish` takes."""

    def __init__(self, staged: Staged, verdict: Verdict, seal: object) -> None:
        if seal is not _SEAL:
            raise TypeError("Only the audit makes an Approved.")
        self.staged = staged
        self.verdict = verdict


def audit(
    spark: SparkSession, staged: Staged, totals: SourceTotals, target: StageTarget, suites: Path = BUNDLED
) -> Approved:
    """Checks staged files and gives the proof that they may be published.

    Args:
        spark: the session whose workers read the staged files.
        staged: the manifest.
        totals: the source's own aggregates under the run's snapshot.
        target: the staging bucket.
        suites: the folder of the tables' own suites.

    Raises:
        AuditFailed: a blocking check failed, or storage holds other bytes than were staged; names and counts only.
        ContractInvalid: the table's own suite is wrong.
    """
    started = time.monotonic()
    contract = staged.plan.contract
    checks = table_checks(contract, totals.rows, suites)
    manifest = _manifest(staged, target)
    results = [*manifest, *_sums(staged, totals)]
    if all(result.passed for result in manifest):  # otherwise the bytes to look at are not there
        columns = needed_columns(checks, contract.published)
        names = [file.name for file in staged.files]
        session = session_for(spark, staged.rows)
        frame = staged_frame(session, target, names, staged.plan.output_schema, columns).persist()
        try:
            results += validate(frame, checks, f"{staged.run_id}.{contract.table}")
        finally:
            frame.unpersist()
    verdict = Verdict(tuple(results), time.monotonic() - started)
    if verdict.blocking:
        failed = "; ".join(one.line for one in verdict.blocking)
        raise AuditFailed(
            f"{len(verdict.blocking)} of {len(results)} checks failed: {failed}.",
            not_done=NOT_PUBLISHED,
            where={"table": contract.table, "run": staged.run_id},
        )
    return Approved(staged, verdict, _SEAL)


def table_checks(contract: Contract, rows: int, suites: Path = BUNDLED) -> tuple[Check, ...]:
    """Gives every check of a table: those that follow from the contract, then its own suite's.

    Raises:
        ContractInvalid: the suite names an expectation, an argument or a column that does not exist.
    """
    patterns = {name: column.mask.token_pattern() for name, column in contract.selected.items()}
    facts = TableFacts(
        key=contract.key,
        not_null=tuple(name for name, column in contract.selected.items() if not column.nullable),
        patterns={name: pattern for name, pattern in patterns.items() if pattern},
        rows=rows,
    )
    problem = ""
    checks: tuple[Check, ...] = ()
    try:
        checks = (*derived_checks(facts), *load_suite(suites / f"{contract.table}.yaml", contract.published))
        for check in checks:
            built(check)
    except SuiteInvalid as error:
        problem = str(error)
    if problem:
        raise ContractInvalid(problem, not_done=NOT_PUBLISHED, where={"file": f"expectations/{contract.table}.yaml"})
    return checks


def _manifest(staged: Staged, target: StageTarget) -> Sequence[CheckResult]:
    """Storage's own description of every file equals what the workers wrote."""
    wrong = changed_files(staged, target)
    check = Check("staged_files_equal_manifest", origin="reconciliation")
    return [CheckResult(check, passed=wrong == 0, failed=wrong, checked=len(staged.files))]


def _sums(staged: Staged, totals: SourceTotals) -> Sequence[CheckResult]:
    """The sums of kept money columns equal the source's, digit by digit."""
    return [
        CheckResult(
            Check("sum_equals_source", {"column": name}, origin="reconciliation"), passed=staged.sums[name] == total
        )
        for name, total in totals.sums.items()
    ]
