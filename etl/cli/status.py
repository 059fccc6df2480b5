"""`kagemusha status` and `kagemusha runs`: what is loaded of each table, and how the last runs went."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Final, Literal

import typer

from etl.cli.options import ContractsFolder, SettingsFile

if TYPE_CHECKING:
    from etl.reports.status import RunStatus, TableStatus

Format = Annotated[Literal["table", "json"], typer.Option("--format", help="table for people, json for programs.")]

_WIDTH_WITHOUT_TERMINAL: Final = 160
_MIB: Final = 2**20


def status(settings: SettingsFile = None, contracts: ContractsFolder = None, output: Format = "table") -> None:
    """Show each table: loaded through which business day, lag, rows, last run, last failure, and what storage costs.

    The lag counts business days (JST) that have ended and are not loaded.
    """
    from etl.ledger import Ledger
    from etl.reports.status import formula, table_status
    from etl.settings import load_settings
    from schemas.contract_file import BUNDLED, load_contracts

    chosen = load_settings(settings)
    ledger = Ledger.of(chosen)
    found = table_status(ledger, chosen, load_contracts(contracts or BUNDLED))
    if output == "json":
        written = {"tables": [asdict(one) for one in found], "cost": formula(chosen)}
        typer.echo(json.dumps(written, ensure_ascii=False, indent=2, default=str))
        return
    from rich.console import Console
    from rich.table import Table

    drawn = Table("table", "through")
    for name in ("lag", "rows", "MiB", "staged MiB", "USD/month"):
        drawn.add_column(name, justify="right")
    for name in ("last run", "outcome", "last failure"):
        drawn.add_column(name, overflow="fold")
    for one in found:
        drawn.add_row(*_line(one))
    console = Console(width=None if sys.stdout.isatty() else _WIDTH_WITHOUT_TERMINAL, markup=False, emoji=False)
    console.print(drawn)
    console.print(f"Storage costs about {sum(one.usd_month for one in found):.2f} USD a month.", highlight=False)
    console.print(formula(chosen), highlight=False, markup=False, soft_wrap=True)


def runs(
    last: Annotated[int, typer.Option(min=1, max=1000, help="How many.")] = 10,
    settings: SettingsFile = None,
    output: Format = "table",
) -> None:
    """Show the last runs, the latest first. A run without an end that holds no lease was broken off."""
    from etl.ledger import Ledger
    from etl.reports.status import last_runs
    from etl.settings import load_settings

    found = last_runs(Ledger.of(load_settings(settings)), last)
    if output == "json":
        typer.echo(json.dumps([asdict(one) for one in found], ensure_ascii=False, indent=2, default=str))
        return
    from rich.console import Console
    from rich.table import Table

    drawn = Table("run", "day", "started (UTC)", "state")
    for name in ("seconds", "published", "exit code"):
        drawn.add_column(name, justify="right")
    for one in found:
        drawn.add_row(*_run_line(one))
    Console(width=None if sys.stdout.isatty() else _WIDTH_WITHOUT_TERMINAL, markup=False, emoji=False).print(drawn)


def _line(one: TableStatus) -> tuple[str, ...]:
    failure = f"{one.last_failure}  {_clock(one.last_failure_at)}" if one.last_failure else ""
    return (
        one.table,
        str(one.through or "never"),
        "" if one.lag_days is None else f"{one.lag_days} d",
        "" if one.rows is None else f"{one.rows:,}",
        _mib(one.table_bytes),
        _mib(one.staged_bytes),
        f"{one.usd_month:.4f}",
        _clock(one.last_at),
        one.last_outcome or "",
        failure,
    )


def _run_line(one: RunStatus) -> tuple[str, ...]:
    return (
        one.run_id,
        str(one.day),
        _clock(one.started),
        one.state,
        "" if one.seconds is None else f"{one.seconds:.1f}",
        "" if one.tables is None else f"{one.published} of {one.tables}",
        "" if one.exit_code is None else str(one.exit_code),
    )


def _mib(count: int | None) -> str:
    return "" if count is None else f"{count / _MIB:,.1f}"


def _clock(instant: datetime | None) -> str:
    return f"{instant:%Y-%m-%d %H:%M}" if instant else ""
