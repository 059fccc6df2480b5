"""Runs checks with Great Expectations' Spark engine and returns scrubbed results: those that workers do not count.

Great Expectations puts failing values into results, and observed values into exceptions: of each result only the
counts named here are taken, and nothing of it is kept, printed or handed on. Counts cost a Spark job for each
expectation, so only those that failed are run again for them.
"""

from __future__ import annotations

import threading
import warnings
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any, Final

from expectations.build import NUMBER, built
from expectations.checks import Check, CheckResult
from expectations.library import ProgressBarsConfig, gx

VERDICT_ONLY: Final = {"result_format": "BOOLEAN_ONLY"}
COUNTS_ONLY: Final = {"result_format": "BASIC", "partial_unexpected_count": 0, "include_unexpected_rows": False}
_LOCK: Final = threading.Lock()  # tables run in threads, and the context's list of assets is one


def validate(dataframe: object, checks: Sequence[Check], name: str) -> tuple[CheckResult, ...]:
    """Runs every check on a Spark DataFrame and returns one result a check, in order.

    Args:
        dataframe: a Spark DataFrame that holds every column the checks name.
        checks: what to run; all run, whatever fails.
        name: a name for the suite.

    Raises:
        SuiteInvalid: a check cannot be built.
    """
    with _LOCK:
        asset = _spark_source().add_dataframe_asset(name=name)
    try:
        batch = asset.add_batch_definition_whole_dataframe("all").get_batch({"dataframe": dataframe})
        found = _run(batch, dict(enumerate(checks)), VERDICT_ONLY)
        failed = {number: checks[number] for number, result in found.items() if not result.success}
        if failed:
            found |= _run(batch, failed, COUNTS_ONLY)
    finally:
        with _LOCK:
            _spark_source().delete_asset(name)
    return tuple(scrubbed(check, found.get(number)) for number, check in enumerate(checks))


def _run(batch: Any, checks: Mapping[int, Check], result_format: Mapping[str, object]) -> dict[int, Any]:  # noqa: ANN401  untyped library
    expectations = [built(check, number) for number, check in checks.items()]
    suite = gx.ExpectationSuite(name="staged", expectations=expectations)
    outcome = batch.validate(suite, result_format=dict(result_format))
    return {result.expectation_config.meta[NUMBER]: result for result in outcome.results}


def scrubbed(check: Check, result: Any) -> CheckResult:  # noqa: ANN401  untyped library
    """Returns verdict and counts of a result of Great Expectations, and nothing else of it."""
    if result is None:
        return CheckResult(check, passed=False, error="no result")
    raised = _raised(result.exception_info)
    counts = result.result or {}
    return CheckResult(
        check,
        passed=bool(result.success) and not raised,
        failed=_count(counts.get("unexpected_count")),
        checked=_count(counts.get("element_count")),
        error="the expectation raised an error" if raised else "",
    )


def _raised(information: Any) -> bool:  # noqa: ANN401  untyped library; one dict, or a dict of dicts by metric
    if not information:
        return False
    if "raised_exception" in information:
        return bool(information["raised_exception"])
    return any(bool(one.get("raised_exception", True)) for one in information.values() if isinstance(one, dict))


def _count(value: object) -> int | None:
    return int(value) if isinstance(value, int | float) else None


@lru_cache(maxsize=1)
def silence_warnings() -> None:
    """Silences the library's warnings, once: they can quote what was observed."""
    warnings.filterwarnings("ignore", module=r"great_expectations\..*")


@lru_cache(maxsize=1)
def _spark_source() -> Any:  # noqa: ANN401  untyped library
    silence_warnings()
    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = ProgressBarsConfig(globally=False, metric_calculations=False)
    return context.data_sources.add_or_update_spark(name="staged", persist=False)
