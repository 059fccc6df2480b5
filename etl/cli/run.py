"""`kagemusha run`: the daily load."""

from __future__ import annotations

from typing import Annotated

import typer

from etl.cli.options import ContractsFolder, SettingsFile
from etl.entry import load_day


def run(
    day: Annotated[
        str | None, typer.Option(help="Business day (JST), YYYY-MM-DD; default: the last one that has ended.")
    ] = None,
    table: Annotated[
        list[str] | None, typer.Option(help="A contract's table; repeat for several; default: all.")
    ] = None,
    settings: SettingsFile = None,
    contracts: ContractsFolder = None,
    resume: Annotated[  # noqa: FBT002  typer's way to a flag
        bool, typer.Option("--resume", help="Leave out the tables of which the ledger proves that this load is done.")
    ] = False,
    accept_deletes: Annotated[
        int, typer.Option(min=0, help="How many rows a merge may delete beyond what its contract lets one run delete.")
    ] = 0,
) -> None:
    """Read, mask, audit and publish one business day.

    Exit codes: 0 published, 1 audit or leak stopped a table, 2 contract or settings must change, 3 run again.
    """
    result = load_day(day, table or [], settings, contracts, resume=resume, accepted_deletes=accept_deletes)
    raise typer.Exit(result.exit_code)
