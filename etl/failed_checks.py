"""Prints the checks that did not hold in one table; names and counts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from rich.console import Console
from rich.table import Table

from etl.handoff import FailedCheck


def print_failed_checks(console: Console, found: Mapping[str, Sequence[FailedCheck]]) -> None:
    """Prints one line a failed check, those that block first; nothing where all held.

    Args:
        console: where to.
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
    console.print(drawn)


def _counts(one: FailedCheck) -> str:
    counts = "" if one.failed is None else f"{one.failed:,} of {one.checked or 0:,}"
    return " · ".join(part for part in (counts, one.note) if part)
