"""`kagemusha plan`: what a run would read, and what it would replace."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from etl.cli.options import ContractsFolder, SettingsFile
from etl.entry import business_day
from etl.errors import worst


def plan(
    *,
    day: Annotated[
        str | None, typer.Option(help="Business day (JST), YYYY-MM-DD; default: the last one that has ended.")
    ] = None,
    table: Annotated[
        list[str] | None, typer.Option(help="A contract's table; repeat for several; default: all.")
    ] = None,
    verbose: Annotated[bool, typer.Option("--verbose", help="List every slice with its condition.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Write JSON, slices included.")] = False,
    settings: SettingsFile = None,
    contracts: ContractsFolder = None,
) -> None:
    """Show what a run of a day would read and replace: days, slices, estimated rows and bytes, columns, partitions.

    Only the catalogue and the statistics are asked; no row is read. Ends with 2 when a run would refuse a table.
    """
    from etl.reports.dry_run import dry_run
    from etl.reports.dry_run_table import write_json, write_table
    from etl.settings import load_settings
    from schemas.contract_file import BUNDLED, load_contracts, select_contracts

    chosen = select_contracts(load_contracts(contracts or BUNDLED), table or [])
    found = dry_run(load_settings(settings), chosen, business_day(day), _warn)
    if as_json:
        write_json(found, sys.stdout)
    else:
        write_table(found, sys.stdout, verbose=verbose)
    raise typer.Exit(worst(*(one.refusal.exit_code for one in found if one.refusal)))


def _warn(_step: str, counts: dict[str, object]) -> None:
    if warning := counts.get("warning"):
        typer.echo(f"Warning: {warning}", err=True)
