"""`kagemusha preview`: a contract's masks at work on made-up values."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from etl.cli.options import ContractsFolder

if TYPE_CHECKING:
    from schemas.preview import Shown


def preview(
    table: Annotated[str, typer.Argument(help="A contract's table.")], contracts: ContractsFolder = None
) -> None:
    """Show what becomes of each column of a table: a made-up value of its class, before and after.

    Nothing is connected to, no value is real, and tokens are made under a key that everybody may know: no real token
    looks like these.
    """
    from schemas.contract_file import BUNDLED, load_contracts, select_contracts
    from schemas.preview import preview as shown_by

    (contract,) = select_contracts(load_contracts(contracts or BUNDLED), [table]).values()
    columns = shown_by(contract)
    if sys.stdout.isatty():
        _draw(contract.table, columns)
        return
    for one in columns:
        typer.echo(f"{one.column} ({one.column_class}) {one.strategy}: {one.before} → {one.after}")


def _draw(title: str, columns: tuple[Shown, ...]) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    drawn = Table("column", "class", "strategy", "before", "after", title=title)
    for one in columns:
        cells = (one.column, one.column_class, one.strategy, one.before, one.after)
        drawn.add_row(*(Text(cell) for cell in cells))  # as it is: `[PAN]` is no markup
    Console(markup=False, emoji=False).print(drawn)
