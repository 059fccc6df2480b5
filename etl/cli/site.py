"""`kagemusha site`: the site of an installation, written into a folder."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from etl.cli.options import ContractsFolder, SettingsFile


def site(
    folder: Annotated[Path, typer.Argument(metavar="[FOLDER]", help="Where it comes to be.")] = Path("site"),
    settings: SettingsFile = None,
    contracts: ContractsFolder = None,
) -> None:
    """Write the site: catalog, runs, evidence and dashboards as pages that need no server and no network.

    Names, counts, times, and sums of groups of at least ten; no value of a row. Prints the path of its first page.
    """
    from etl.settings import load_settings
    from etl.site.writer import written

    typer.echo(written(load_settings(settings), folder, contracts))
