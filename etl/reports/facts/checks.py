"""One check of an audit, as the ledger has it: what it expects, and how many rows were against it."""

from __future__ import annotations

import json
from dataclasses import dataclass

from google.cloud import bigquery

from etl.reports.facts.expected import expected
from etl.reports.facts.said import Said


@dataclass(frozen=True)
class CheckFacts:
    """One check of an audit.

    Attributes:
        expected: what it expects, in sentences.
        failed: what is against it, of all that was looked at; None for a check of the whole table.
        error: the kind of what kept it from running.
    """

    name: str
    expected: tuple[Said, ...]
    severity: str
    origin: str
    passed: bool
    failed: int | None
    checked: int | None
    error: str
    waived_by: str

    @property
    def stops(self) -> bool:
        """Whether it kept its table from being published."""
        return not self.passed and self.severity == "blocking" and not self.waived_by


def check_facts(row: bigquery.Row) -> CheckFacts:
    """Returns the check that a row of `ops.audits` tells."""
    return CheckFacts(
        name=f"{row['expectation']}({row['columns']})" if row["columns"] else row["expectation"],
        expected=expected(row["expectation"], json.loads(row["arguments"]) if row["arguments"] else None),
        severity=row["severity"],
        origin=row["origin"],
        passed=bool(row["passed"]),
        failed=row["failed"],
        checked=row["checked"],
        error=row["error"] or "",
        waived_by=row["waived_by"] or "",
    )
