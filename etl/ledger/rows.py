"""Parts of the ledger's rows that several steps write."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from importlib.metadata import PackageNotFoundError, version

from expectations.checks import CheckResult


def check_rows(results: Sequence[CheckResult]) -> dict[str, list[object]]:
    """Returns the columns of a load's row from which `ops.audits` has its checks: results, and what was expected."""
    found = [
        {
            "expectation": result.check.expect,
            "columns": list(result.check.columns),
            "severity": result.check.severity,
            "origin": result.check.origin,
            "passed": result.passed,
            "failed": result.failed,
            "checked": result.checked,
            "error": result.error or None,
            "waived_by": result.waived_by or None,
        }
        for result in results
    ]
    return {"checks": [*found], "check_arguments": [result.check.arguments for result in results]}


def package_version() -> str:
    """Returns the version of this package; empty where it runs from a checkout that is not installed."""
    with suppress(PackageNotFoundError):
        return version("kagemusha")
    return ""
