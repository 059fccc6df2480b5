"""Shows what a run would do: a table for people, JSON for programs."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TextIO

from rich.console import Console
from rich.table import Table

from etl.reports.dry_run import DryRun
from schemas.business_days import Window

_WIDTH_WITHOUT_TERMINAL = 160


def write_table(plans: Sequence[DryRun], out: TextIO, *, verbose: bool = False) -> None:
    """Writes one line a table, and one a slice where it is asked for."""
    console = Console(file=out, width=None if out.isatty() else _WIDTH_WITHOUT_TERMINAL, markup=False, emoji=False)
    drawn = Table()
    for name in ("table", "mode", "days"):
        drawn.add_column(name, no_wrap=True)
    for name in ("slices", "rows ≈", "MiB ≈", "read", "masked", "dropped"):
        drawn.add_column(name, justify="right", no_wrap=True)
    for name in ("replaces", "of"):
        drawn.add_column(name, overflow="fold")
    for one in plans:
        drawn.add_row(*_row(one))
    console.print(drawn)
    for one in plans:
        if one.refusal is not None:
            line = f"{one.contract.table}: {type(one.refusal).__name__}: {one.refusal}"
            console.print(line, markup=False, highlight=False, style="red", soft_wrap=True)
        for part in one.plan.slices if verbose and one.plan else ():
            day = f"  {part.partition}" if part.partition else ""
            line = f"{one.contract.table} {part.number}{day}  {part.where}"
            console.print(line, markup=False, highlight=False, soft_wrap=True)
    if locked := max((one.locked_seconds or 0 for one in plans), default=0):
        console.print(
            f"A run locks these tables in ACCESS SHARE mode, for {locked:,.0f} s at most: ALTER and TRUNCATE wait."
        )
    console.print("No row was read. Rows and bytes are estimates from the statistics; a run counts where the rows of a")
    console.print("window or a view's keys are before it cuts them.")


def write_json(plans: Sequence[DryRun], out: TextIO) -> None:
    """Writes the plans as a list of objects."""
    print(json.dumps([_plain(one) for one in plans], ensure_ascii=False, indent=2), file=out)


def _row(one: DryRun) -> list[str]:
    plan, contract = one.plan, one.contract
    columns = [str(len(contract.selected)), str(one.masked), str(one.dropped)]
    if plan is None:
        return [contract.table, contract.load.mode, "", "refused", "", "", *columns, "", contract.publish]
    return [
        contract.table,
        contract.load.mode,
        _days(plan.window),
        f"{len(plan.slices):,}",
        f"{plan.estimated_rows:,}",
        f"{plan.estimated_bytes / 1024 / 1024:,.1f}",
        *columns,
        _partitions(one),
        contract.publish,
    ]


def _days(window: Window | None) -> str:
    if window is None:
        return "all"
    return f"{window.first} – {window.last}" if window.first < window.last else str(window.last)


def _partitions(one: DryRun) -> str:
    if one.plan is None or one.contract.partition_by is None:
        return "whole table"
    if one.plan.window is None:
        return "the rows' days"
    days = len(one.plan.window.days)
    return f"{days} partition{'' if days == 1 else 's'}"


def _plain(one: DryRun) -> dict[str, object]:
    plan, contract = one.plan, one.contract
    window = plan.window if plan else None
    return {
        "table": contract.table,
        "source": contract.source,
        "publish": contract.publish,
        "mode": contract.load.mode,
        "first_day": str(window.first) if window else None,
        "last_day": str(window.last) if window else None,
        "estimated_rows": plan.estimated_rows if plan else None,
        "estimated_bytes": plan.estimated_bytes if plan else None,
        "locked_seconds_at_most": one.locked_seconds,
        "columns_read": list(contract.selected),
        "columns_masked": [name for name, column in contract.selected.items() if not column.kept],
        "columns_dropped": [name for name, column in contract.columns.items() if column.dropped],
        "slices": [
            {"number": part.number, "day": str(part.partition) if part.partition else None, "where": part.where}
            for part in (plan.slices if plan else ())
        ],
        "refusal": None if one.refusal is None else f"{type(one.refusal).__name__}: {one.refusal}",
    }
