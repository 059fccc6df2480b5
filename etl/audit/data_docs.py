"""Writes Data Docs next to the staged files: one page a table and an index; they stay when staged files expire."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from etl.audit.verdict import Verdict
from etl.clock import now
from etl.cloud.storage import StagingBucket
from etl.ledger import TableResult
from etl.stage import Staged

FOLDER = "data_docs"
"""The name of the folder within a run's."""


def write_page(staged: Staged, verdict: Verdict, stage: StagingBucket, local: Path | None = None) -> None:
    """Writes the page of one table next to the staged files, and into a local folder if one is named.

    Raises:
        StorageUnavailable: it was not taken.
    """
    from expectations.data_docs import table_page  # noqa: PLC0415  Great Expectations, which workers do without

    table, at = staged.plan.table, now().isoformat(timespec="seconds")
    html = table_page(table, staged.run_id, verdict.results, staged.rows, at)
    _put(staged.run_id, f"{table}.html", html, stage, local)


def write_index(run_id: str, tables: Sequence[TableResult], stage: StagingBucket, local: Path | None = None) -> str:
    """Writes the index of the audited tables' pages and returns its URI."""
    from expectations.data_docs import index_page  # noqa: PLC0415  the same

    rows = [
        (one.table, one.expectations_passed, one.expectations, any(check.stops for check in one.failed_checks))
        for one in sorted(tables, key=lambda one: one.table)
        if one.expectations
    ]
    return _put(run_id, "index.html", index_page(run_id, rows), stage, local)


def _put(run_id: str, name: str, html: str, stage: StagingBucket, local: Path | None) -> str:
    place = f"{stage.target.prefix}/{run_id}/{FOLDER}/{name}"
    stage.write(place, html.encode(), "text/html; charset=utf-8")
    if local is not None:
        local.mkdir(parents=True, exist_ok=True)
        (local / name).write_text(html, encoding="utf-8")
    return stage.target.uri(place)
