"""`kagemusha audit`: what a run staged is audited again."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from etl.cli.options import ContractsFolder, SettingsFile
from etl.errors import STOPPED


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
    from etl.settings import load_settings

    chosen = load_settings(settings)
    from etl.run.record.result_table import print_failed_checks
    from etl.run.record.results import failed_checks
    from etl.run.staged_run import StagedRun
    from schemas.contract_file import BUNDLED

    audited, place = StagedRun(chosen, contracts or BUNDLED).audit(run, table or [], docs)
    for one in audited:
        verdict = one.verdict
        outcome = f"stopped by {len(verdict.blocking)}" if verdict.blocking else "passes"
        typer.echo(f"{one.staged.plan.table}: {verdict.passed} of {len(verdict.results)} checks, {outcome}")
    print_failed_checks({one.staged.plan.table: failed_checks(one.verdict) for one in audited})
    typer.echo(f"Data Docs: {place}")
    if any(one.verdict.blocking for one in audited):
        raise typer.Exit(STOPPED)
