"""How a table of a run ended, as the ledger and people are told: names, counts and times."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True)
class FailedCheck:
    """One check that did not hold: names and counts.

    Attributes:
        failed: rows against it, of those `checked`; None for a check of the whole table.
        note: what kept it from running, or who waived it.
        waived: whether a person signed that this failure may pass.
    """

    name: str
    severity: str
    failed: int | None = None
    checked: int | None = None
    note: str = ""
    waived: bool = False

    @property
    def stops(self) -> bool:
        """Whether it keeps its table from being published."""
        return self.severity == "blocking" and not self.waived


@dataclass(frozen=True)
class TableResult:
    """How one table of a run ended; every field is a count, a name or a time."""

    table: str
    outcome: str
    rows: int = 0
    columns: int = 0
    masked_columns: int = 0
    bytes: int = 0
    expectations: int = 0
    expectations_passed: int = 0
    partitions: int = 0
    seconds: float = 0.0
    peak_mib: int = 0
    error: str = ""
    exit_code: int = 0
    job_ids: tuple[str, ...] = field(default=())
    quarantined: int = 0
    keys_compared: int | None = None
    deleted: int = 0
    failed_checks: tuple[FailedCheck, ...] = ()
