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
    from etl.cloud.storage import StagingBucket, StagingLocation
    from etl.ledger import Ledger
    from etl.settings import load_settings
    from etl.site.writer import gathered, write_folder

    chosen = load_settings(settings)
    bucket = StagingBucket(StagingLocation.of(chosen))
    typer.echo(write_folder(gathered(chosen, Ledger.of(chosen), bucket, contracts), folder))
