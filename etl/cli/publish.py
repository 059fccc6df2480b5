"""`kagemusha publish`: a stage whose audit passes now is published."""

from __future__ import annotations

from typing import Annotated

import typer

from etl.cli.options import ContractsFolder, SettingsFile


def publish(
    run: Annotated[str, typer.Argument(help="The run that staged it.")],
    table: Annotated[str, typer.Option(help="The table.")],
    settings: SettingsFile = None,
    contracts: ContractsFolder = None,
) -> None:
    """Audit a staged table again and publish it, without reading Aurora.

    Refused when a newer run has published the same days, when staged files are gone or changed, and when the contract
    is another one now.

    Exit codes: 0 published, 1 a blocking check fails, 2 refused, 3 run again.
    """
    from etl.settings import load_settings

    chosen = load_settings(settings)
    from etl.run.staged_run import StagedRun
    from schemas.contract_file import BUNDLED

    published = StagedRun(chosen, contracts or BUNDLED).publish(run, table, lambda step: typer.echo(f"{table}: {step}"))
    typer.echo(f"{table}: {published.rows:,} rows published in {published.partitions} partitions")
