"""Parts of the ledger's rows that several steps write."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from importlib.metadata import PackageNotFoundError, version

from expectations.checks import CheckResult


def check_rows(results: Sequence[CheckResult]) -> list[dict[str, object]]:
    """Returns a row of `ops.audits` for each check; they are written with the table's own row, in one step."""
    return [
        {
            "expectation": one.check.expect,
            "columns": list(one.check.columns),
            "severity": one.check.severity,
            "origin": one.check.origin,
            "passed": one.passed,
            "failed": one.failed,
            "checked": one.checked,
            "error": one.error or None,
            "waived_by": one.waived_by or None,
        }
        for one in results
    ]


def package_version() -> str:
    """Returns the version of this package; empty where it runs from a checkout that is not installed."""
    with suppress(PackageNotFoundError):
        return version("kagemusha")
    return ""
