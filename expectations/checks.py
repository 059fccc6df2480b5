"""A check: one expectation of Great Expectations' own vocabulary with a severity; and its result, in counts only."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

Severity = Literal["blocking", "warning"]


class SuiteInvalid(Exception):
    """A suite names an expectation, an argument or a column that does not exist; the text names the place."""


@dataclass(frozen=True)
class Check:
    """One expectation to run.

    Attributes:
        expect: the expectation's name in snake case, e.g. `expect_column_values_to_not_be_null`.
        kwargs: its arguments, as Great Expectations spells them.
        severity: `blocking` stops the table, `warning` is reported.
        origin: `contract` for derived checks, `suite` for those of `expectations/<table>.yaml`.
    """

    expect: str
    kwargs: Mapping[str, Any] = field(default_factory=dict)  # Any: each expectation has its own arguments
    severity: Severity = "blocking"
    origin: Literal["contract", "suite", "reconciliation"] = "contract"

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that the expectation reads, besides those of a row condition."""
        named = [self.kwargs[key] for key in ("column", "column_A", "column_B") if key in self.kwargs]
        return (*named, *self.kwargs.get("column_list", ()), *self.kwargs.get("column_set", ()))


@dataclass(frozen=True)
class CheckResult:
    """How a check ended: counts and percentages, never a value.

    Attributes:
        failed: rows against it; None where the expectation is about the table.
        checked: rows looked at; None likewise.
        error: the type of the exception that kept it from running, or empty.
    """

    check: Check
    passed: bool
    failed: int | None = None
    checked: int | None = None
    error: str = ""

    @property
    def blocks(self) -> bool:
        """Whether it stops the table."""
        return not self.passed and self.check.severity == "blocking"

    @property
    def line(self) -> str:
        """One line for a person: expectation, columns, counts."""
        columns = f"({', '.join(self.check.columns)})" if self.check.columns else ""
        counts = "" if self.failed is None else f": {self.failed} of {self.checked} rows"
        return f"{self.check.expect}{columns}{counts}{f' could not run: {self.error}' if self.error else ''}"
