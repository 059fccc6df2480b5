"""`kagemusha backfill`: a range of business days is loaded again."""

from __future__ import annotations

from typing import Annotated

import typer

from etl.cli.options import ContractsFolder, SettingsFile
from etl.entry import load_range


def backfill(
    first: Annotated[str, typer.Option("--from", help="First business day (JST), YYYY-MM-DD.")],
    last: Annotated[
        str | None, typer.Option("--to", help="Last business day (JST); default: the last one that has ended.")
    ] = None,
    table: Annotated[
        list[str] | None,
        typer.Option(help="A contract's table; repeat for several; default: all that have business days."),
    ] = None,
    resume: Annotated[  # noqa: FBT002  typer makes a flag of it
        bool, typer.Option("--resume", help="Leave out days that the ledger proves loaded.")
    ] = False,
    settings: SettingsFile = None,
    contracts: ContractsFolder = None,
) -> None:
    """Load a range of business days again, oldest first; named tables without business days are loaded whole.

    Exit codes: 0 published, 1 audit or leak stopped a table, 2 contract or settings must change, 3 run again.
    """
    raise typer.Exit(load_range(first, last, table or [], settings, contracts, resume=resume).exit_code)
