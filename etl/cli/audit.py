"""`kagemusha audit`: what a run staged is audited again."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from etl.cli.options import ContractsFolder, SettingsFile
from etl.errors import STOPPED
from etl.run.result_table import print_failed_checks
from etl.settings import load_settings
from schemas.contract_file import BUNDLED


def audit(
    run: Annotated[str, typer.Argument(help="The run, as `kagemusha run` printed it.")],
    table: Annotated[
        list[str] | None, typer.Option(help="A table; repeat for several; default: all staged ones.")
    ] = None,
    docs: Annotated[Path | None, typer.Option(help="Also write the Data Docs into this folder.")] = None,
    settings: SettingsFile = None,
    contracts: ContractsFolder = None,
) -> None:
    """Audit the staged files of a run again, with the source's totals of that run; Aurora is not asked.

    Exit codes: 0 every table passes, 1 a blocking check fails, 2 there is no such stage, 3 run again.
    """
    chosen = load_settings(settings)
    from etl.run.results import failed_checks  # noqa: PLC0415  the same
    from etl.run.staged_run import StagedRun  # noqa: PLC0415  Spark and Great Expectations take seconds to import

    audited, place = StagedRun(chosen, contracts or BUNDLED).audit(run, table or [], docs)
    console = Console()
    for one in audited:
        verdict = one.verdict
        outcome = f"stopped by {len(verdict.blocking)}" if verdict.blocking else "passes"
        typer.echo(f"{one.staged.plan.table}: {verdict.passed} of {len(verdict.results)} checks, {outcome}")
    print_failed_checks(console, {one.staged.plan.table: failed_checks(one.verdict) for one in audited})
    typer.echo(f"Data Docs: {place}")
    if any(one.verdict.blocking for one in audited):
        raise typer.Exit(STOPPED)
