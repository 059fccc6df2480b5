"""Prints how a run ended: one line a table, the checks that did not hold, and what failed."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Final

from rich.console import Console
from rich.table import Table

from etl.ledger import FailedCheck, TableResult

if TYPE_CHECKING:
    from etl.run.record.results import RunResult

_WIDTH_WITHOUT_TERMINAL: Final = 140


def print_result(result: RunResult) -> None:
    """Prints one line a table and what failed."""
    console = _console()
    console.print(_drawn(result))
    print_failed_checks({one.table: one.failed_checks for one in result.tables})
    if result.error:
        console.print(f"views: {result.error}", markup=False, highlight=False, style="red", soft_wrap=True)
    for one in result.tables:
        if one.deleted:
            console.print(f"{one.table}: {one.deleted} rows are gone from the source; `deletes:` says what that means")
        if one.quarantined:
            console.print(f"{one.table}: {one.quarantined} rows in quarantine; ops.table_loads names their keys")
        if one.error:
            console.print(f"{one.table}: {one.error}", markup=False, highlight=False, style="red", soft_wrap=True)


def _drawn(result: RunResult) -> Table:
    """Returns one line a table, and their sums."""
    tables = result.tables
    drawn = Table(title=f"Business day {result.day}  ·  run {result.run_id}", title_justify="left")
    drawn.add_column("table")
    for name in ("rows read", "masked columns", "bytes staged", "expectations", "partitions", "seconds"):
        drawn.add_column(name, justify="right")
    drawn.add_column("outcome")
    for one in tables:
        drawn.add_row(one.table, *_measures([one], one.seconds), one.outcome)
    drawn.add_section()
    drawn.add_row(f"{len(tables)} tables", *_measures(tables, result.seconds), f"{len(result.views)} views")
    return drawn


def _measures(tables: Sequence[TableResult], seconds: float) -> tuple[str, ...]:
    masked, columns = sum(one.masked_columns for one in tables), sum(one.columns for one in tables)
    passed, checks = sum(one.expectations_passed for one in tables), sum(one.expectations for one in tables)
    return (
        f"{sum(one.rows for one in tables):,}",
        f"{masked} of {columns}",
        f"{sum(one.bytes for one in tables):,}",
        f"{passed} of {checks}",
        str(sum(one.partitions for one in tables)),
        f"{seconds:.1f}",
    )


def print_failed_checks(found: Mapping[str, Sequence[FailedCheck]]) -> None:
    """Prints one line a failed check, those that block first; nothing where all held.

    Args:
        found: table → its failed checks.
    """
    if not any(found.values()):
        return
    drawn = Table(title="Checks that did not hold", title_justify="left")
    for name in ("table", "check", "severity"):
        drawn.add_column(name, overflow="fold")
    drawn.add_column("against it", justify="right")
    for name, failed in found.items():
        for one in failed:
            drawn.add_row(name, one.name, one.severity, _counts(one), style="red" if one.stops else None)
    _console().print(drawn)


def _console() -> Console:
    return Console(width=None if sys.stdout.isatty() else _WIDTH_WITHOUT_TERMINAL, markup=False, emoji=False)


def _counts(one: FailedCheck) -> str:
    counts = "" if one.failed is None else f"{one.failed:,} of {one.checked or 0:,}"
    return " · ".join(part for part in (counts, one.note) if part)
