"""`kagemusha preview`: a contract's masks at work on made-up values."""

from __future__ import annotations

import sys
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from etl.cli.options import ContractsFolder
from schemas.contract_file import BUNDLED, load_contracts, select_contracts
from schemas.preview import Shown
from schemas.preview import preview as shown_by


def preview(
    table: Annotated[str, typer.Argument(help="A contract's table.")], contracts: ContractsFolder = None
) -> None:
    """Show what becomes of each column of a table: a made-up value of its class, before and after.

    Nothing is connected to, no value is real, and tokens are made under a key that everybody may know: no real token
    looks like these.
    """
    (contract,) = select_contracts(load_contracts(contracts or BUNDLED), [table]).values()
    columns = shown_by(contract)
    if sys.stdout.isatty():
        Console().print(_drawn(contract.table, columns))
        return
    for one in columns:
        typer.echo(f"{one.column} ({one.column_class}) {one.strategy}: {one.before} → {one.after}")


def _drawn(title: str, columns: tuple[Shown, ...]) -> Table:
    drawn = Table("column", "class", "strategy", "before", "after", title=title)
    for one in columns:
        cells = (one.column, one.column_class, one.strategy, one.before, one.after)
        drawn.add_row(*(Text(cell) for cell in cells))  # as it is: `[PAN]` is no markup
    return drawn
