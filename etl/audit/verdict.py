"""The verdict of an audit, and the proof that follows from it: only `approve` makes an `Approved`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import ClassVar, Final

from etl.audit.orphans import Join
from etl.audit.waivers import Waiver
from etl.errors import NOT_PUBLISHED, STOPPED
from etl.settings import BigQuerySettings
from etl.stage import Staged
from expectations.checks import CheckResult
from expectations.volume import LoadSize
from masking.errors import KagemushaError

_SEAL: Final = object()


class AuditFailed(KagemushaError):
    """A blocking expectation or a reconciliation failed."""

    advice = "Read the run report; correct the source, the contract or the suite, and run again."
    exit_code: ClassVar[int] = STOPPED


@dataclass(frozen=True)
class References:
    """What a table is compared with apart from its source: other tables, earlier loads, the business day.

    Attributes:
        joins: the columns whose tokens are looked up, and where.
        warehouse: BigQuery, where a join's other side was not staged in this run.
        earlier: sizes of the table's earlier loads, newest first.
        day: the business day that is loaded; None where nothing has to be new.
    """

    joins: tuple[Join, ...] = ()
    warehouse: BigQuerySettings | None = None
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
        """Returns the verdict with the failures marked that waivers let pass, where they may be waived at all.

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


def approve(staged: Staged, verdict: Verdict, waivers: Sequence[Waiver] = ()) -> Approved:
    """Returns the proof that staged files may be published, where nothing that blocks is left.

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
