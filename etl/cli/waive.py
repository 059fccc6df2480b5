"""`kagemusha waive`: a signed waiver lets one blocking failure of one run through, once."""

from __future__ import annotations

from typing import Annotated

import typer

from etl.cli.options import ContractsFolder, SettingsFile


def waive(
    run: Annotated[str, typer.Argument(help="The run that staged it.")],
    expectation: Annotated[
        str, typer.Argument(help="The check, as it was printed: expect_column_values_to_be_in_set(status).")
    ],
    table: Annotated[str, typer.Option(help="The table.")],
    reason: Annotated[str, typer.Option(help="Why the failure may pass; recorded.")],
    by: Annotated[str, typer.Option(help="Who answers for it; recorded.")],
    settings: SettingsFile = None,
    contracts: ContractsFolder = None,
) -> None:
    """Sign that one blocking failure of a staged table may pass once; `kagemusha publish` then uses it.

    The signature is made with a key of the keyring, for these staged bytes and this very expectation. What proves that
    no row was lost or changed on the way cannot be waived.

    Exit codes: 0 signed, 1 refused, 2 there is no such stage, 3 run again.
    """
    from etl.settings import load_settings

    chosen = load_settings(settings)
    from etl.run.staged_run import StagedRun
    from schemas.contract_file import BUNDLED

    waiver = StagedRun(chosen, contracts or BUNDLED).waive(run, table, expectation, reason, by)
    typer.echo(f"{waiver.table}: {waiver.expectation} of run {waiver.run_id} may pass once, signed by {waiver.by}")
    typer.echo(f"Publish it with: kagemusha publish {waiver.run_id} --table {waiver.table}")
