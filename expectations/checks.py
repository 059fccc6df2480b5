"""A check: one expectation of Great Expectations' own vocabulary with a severity; and its result, in counts only."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

Severity = Literal["blocking", "warning"]
Origin = Literal["contract", "suite", "reconciliation", "join", "history"]


class SuiteInvalid(Exception):
    """A suite names an expectation, an argument or a column that does not exist; the text names the place."""


@dataclass(frozen=True)
class Check:
    """One expectation to run.

    Attributes:
        expect: the expectation's name in snake case, e.g. `expect_column_values_to_not_be_null`.
        kwargs: its arguments, as Great Expectations spells them.
        severity: `blocking` stops the table, `warning` is reported.
        origin: `contract` for derived checks, `suite` for those of `expectations/<table>.yaml`, `reconciliation` for
            what proves that nothing was lost or changed on the way, `join` and `history` for comparisons with other
            tables and with earlier loads.
    """

    expect: str
    kwargs: Mapping[str, Any] = field(default_factory=dict)  # Any: each expectation has its own arguments
    severity: Severity = "blocking"
    origin: Origin = "contract"

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that the expectation reads, besides those of a row condition."""
        named = [self.kwargs[key] for key in ("column", "column_A", "column_B") if key in self.kwargs]
        listed = [self.kwargs.get(key) for key in ("column_list", "column_set")]
        return (*map(str, named), *(str(one) for names in listed if isinstance(names, list | tuple) for one in names))

    @property
    def name(self) -> str:
        """The expectation with its columns: how a person names the check."""
        columns = f"({', '.join(self.columns)})" if self.columns else ""
        return f"{self.expect}{columns}"

    @property
    def arguments(self) -> str:
        """Its arguments as JSON: names, reviewed constants and counts, as suite and contract have them."""
        return json.dumps(self.kwargs, sort_keys=True, ensure_ascii=False, default=str)

    @property
    def digest(self) -> str:
        """SHA-256 of what is expected and how severely: equal where the very same thing is checked."""
        meaning = json.dumps([self.expect, self.kwargs, self.severity], sort_keys=True, ensure_ascii=False, default=str)
        return hashlib.sha256(meaning.encode()).hexdigest()

    @property
    def waivable(self) -> bool:
        """Whether a person may let its failure through: never where rows were lost, doubled or changed on the way."""
        return self.origin != "reconciliation"


@dataclass(frozen=True)
class CheckResult:
    """How a check ended: counts and percentages, never a value.

    Attributes:
        failed: rows against it; None where the expectation is about the table.
        checked: rows looked at; None where the expectation is about the table.
        error: the type of the exception that kept it from running, or empty.
        waived_by: who signed that this failure may pass once, or empty.
    """

    check: Check
    passed: bool
    failed: int | None = None
    checked: int | None = None
    error: str = ""
    waived_by: str = ""

    @property
    def blocks(self) -> bool:
        """Whether it stops the table."""
        return not self.passed and self.check.severity == "blocking" and not self.waived_by

    @property
    def line(self) -> str:
        """One line for a person: expectation, columns, counts."""
        counts = "" if self.failed is None else f": {self.failed} of {self.checked} rows"
        waived = f" (waived by {self.waived_by})" if self.waived_by else ""
        return f"{self.check.name}{counts}{f' could not run: {self.error}' if self.error else ''}{waived}"
