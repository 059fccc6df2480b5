"""`kagemusha access`: who may read what in BigQuery, and what of it the settings do not say."""

from __future__ import annotations

import sys
from typing import Annotated, Final

import typer

from etl.cli.options import ContractsFolder, SettingsFile
from etl.errors import STOPPED

_WIDTH_WITHOUT_TERMINAL: Final = 200


def access(
    *,
    differing: Annotated[bool, typer.Option("--differing", help="Show only what differs from the settings.")] = False,
    settings: SettingsFile = None,
    contracts: ContractsFolder = None,
) -> None:
    """Show who may read datasets and tables, which columns need a policy tag, and which tables hide rows.

    Nothing is changed. Grants of the whole project and of the tags themselves are in IAM, and not shown.

    Ends with 0 when all is as the settings say, with 1 when something differs.
    """
    from rich.console import Console
    from rich.table import Table

    from etl.reports.access import access as rights
    from etl.settings import load_settings
    from schemas.contract_file import BUNDLED, load_contracts

    found = rights(load_settings(settings), load_contracts(contracts or BUNDLED))
    shown = [one for one in found if one.differs or not differing]
    drawn = Table("place", "right", "differs", show_lines=False)
    for one in shown:
        drawn.add_row(one.place, one.what, one.differs)
    Console(width=None if sys.stdout.isatty() else _WIDTH_WITHOUT_TERMINAL, markup=False, emoji=False).print(
        drawn, highlight=False, markup=False
    )
    others = sum(bool(one.differs) for one in found)
    typer.echo(f"{len(found)} rights, {others} differ from the settings.")
    if others:
        raise typer.Exit(STOPPED)
