"""Data Docs of one table's audit: Great Expectations' own page, made from scrubbed results, readable without a network.

Great Expectations renders what it is given: here, names, arguments of reviewed suites, and counts. Its page asks five
other sites for styles and scripts; those are taken out, and the page gets a style sheet of ours.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from importlib.resources import files
from typing import Any, Final

from great_expectations.core import ExpectationSuiteValidationResult, ExpectationValidationResult
from great_expectations.expectations.expectation_configuration import ExpectationConfiguration
from great_expectations.expectations.metadata_types import FailureSeverity
from great_expectations.render.components import (
    RenderedSectionContent,
    RenderedStringTemplateContent,
    RenderedTableContent,
)
from great_expectations.render.renderer.page_renderer import ValidationResultsPageRenderer
from great_expectations.render.view.view import DefaultJinjaPageView

from expectations.checks import CheckResult
from expectations.vocabulary import arguments

_STYLE: Final = files("expectations").joinpath("data_docs.css")
_FOREIGN: Final = re.compile(
    r"<script\b.*?</script>|<link\b[^>]*>|<img\b[^>]*>|<footer\b.*?</footer>|\sintegrity=\"[^\"]*\"",
    re.DOTALL | re.IGNORECASE,
)
_IMAGE: Final = re.compile(r"url\(\s*['\"]?https?://[^)]*\)", re.IGNORECASE)
_LINK: Final = re.compile(r"\s(?:href|src|srcset)\s*=\s*([\"'])https?://.*?\1", re.IGNORECASE)


def table_page(table: str, run_id: str, results: Sequence[CheckResult], rows: int, at: str) -> str:
    """Returns the page of one table as HTML that needs no other file.

    Args:
        table: the contract's table.
        run_id: the run.
        results: every check's result.
        rows: how many rows were looked at.
        at: when the audit ran (ISO 8601).
    """
    theirs = [one for one in results if arguments(one.check.expect) is not None]
    ours = [one for one in results if arguments(one.check.expect) is None]
    outcome = ExpectationSuiteValidationResult(
        success=not any(one.blocks for one in results),
        results=[_result(one, rows) for one in theirs],
        suite_name=table,
        statistics=_statistics(results),
        meta={"run_id": {"run_name": run_id, "run_time": at}, "validation_time": at, "batch_markers": {}},
    )
    document = _renderer().render(outcome)
    document.sections.append(_comparisons(ours))
    return _offline(_view().render(document), f"{table} · {run_id}")


def index_page(run_id: str, tables: Sequence[tuple[str, int, int, bool]]) -> str:
    """Returns the page that leads to those of the tables.

    Args:
        run_id: the run.
        tables: name, checks that passed, checks, and whether something blocks; one for each page.
    """
    rows = "".join(
        f'<tr><td><a href="{name}.html">{name}</a></td><td>{passed} of {checks}</td>'
        f'<td class="{"text-danger" if blocked else "text-success"}">{"stopped" if blocked else "passed"}</td></tr>'
        for name, passed, checks, blocked in tables
    )
    body = (
        f'<div class="container-fluid"><h1>{run_id}</h1><table class="table"><thead><tr><th>table</th>'
        f"<th>checks that passed</th><th>verdict</th></tr></thead><tbody>{rows}</tbody></table></div>"
    )
    head = f"<meta charset='UTF-8'><title>{run_id}</title><style>{_style()}</style>"
    return f"<!DOCTYPE html><html><head>{head}</head><body>{body}</body></html>"


def _offline(page: str, title: str) -> str:
    """Takes out whatever would be asked from another site, and puts the style sheet in."""
    without = _LINK.sub("", _FOREIGN.sub("", page))
    named = re.sub(r"<title>.*?</title>", "", without, flags=re.DOTALL)
    return _IMAGE.sub("none", named).replace("</head>", f"<title>{title}</title><style>{_style()}</style></head>", 1)


@lru_cache(maxsize=1)
def _style() -> str:
    return _STYLE.read_text(encoding="utf-8")


@lru_cache(maxsize=1)
def _renderer() -> Any:  # noqa: ANN401  untyped library
    return ValidationResultsPageRenderer(run_info_at_end=True)


@lru_cache(maxsize=1)
def _view() -> Any:  # noqa: ANN401  untyped library
    return DefaultJinjaPageView()


def _result(one: CheckResult, rows: int) -> Any:  # noqa: ANN401  untyped library
    kwargs = dict(one.check.kwargs)
    configuration = ExpectationConfiguration(type=one.check.expect, kwargs=kwargs, severity=_severity(one))
    return ExpectationValidationResult(
        success=one.passed,
        expectation_config=configuration,
        result=_counts(one, rows),
        exception_info={"raised_exception": False, "exception_message": None, "exception_traceback": None},
        meta={},
    )


def _severity(one: CheckResult) -> FailureSeverity:
    return FailureSeverity.CRITICAL if one.check.severity == "blocking" else FailureSeverity.WARNING


def _counts(one: CheckResult, rows: int) -> dict[str, object]:
    if one.passed and "values" in one.check.expect and "mostly" not in one.check.kwargs:
        return {"element_count": rows, "unexpected_count": 0, "unexpected_percent": 0.0}
    if one.failed is None or one.checked is None:
        return {}
    percent = 100 * one.failed / one.checked if one.checked else 0.0
    return {"element_count": one.checked, "unexpected_count": one.failed, "unexpected_percent": percent}


def _statistics(results: Sequence[CheckResult]) -> dict[str, object]:
    passed = sum(one.passed for one in results)
    return {
        "evaluated_expectations": len(results),
        "successful_expectations": passed,
        "unsuccessful_expectations": len(results) - passed,
        "success_percent": 100 * passed / len(results) if results else None,
    }


def _comparisons(results: Sequence[CheckResult]) -> Any:  # noqa: ANN401  untyped library
    rows = [[_status(one), one.check.name, one.check.severity, _text(one)] for one in results]
    table = RenderedTableContent(
        content_block_type="table",
        header_row=["Status", "Comparison", "Severity", "Against it"],
        table=rows,
        header=RenderedStringTemplateContent(
            content_block_type="string_template",
            string_template={"template": "Comparisons with storage, the source, other tables and earlier loads"},
        ),
        styling={"body": {"classes": ["table"]}},
    )
    return RenderedSectionContent(section_name="Comparisons", content_blocks=[table])


def _status(one: CheckResult) -> str:
    if one.waived_by:
        return f"waived by {one.waived_by}"
    return "passed" if one.passed else "failed"


def _text(one: CheckResult) -> str:
    return "--" if one.failed is None else f"{one.failed} of {one.checked}"
