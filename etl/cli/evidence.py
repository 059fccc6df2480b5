"""`kagemusha evidence`: a run's report for security officers and assessors."""

from __future__ import annotations

from typing import Annotated

import typer

from etl.cli.options import ContractsFolder, SettingsFile


def evidence(
    run: Annotated[str, typer.Argument(metavar="RUN", help="The run, as `kagemusha runs` shows it.")],
    settings: SettingsFile = None,
    contracts: ContractsFolder = None,
) -> None:
    """Print what left the card environment in a run, how each column was protected, under which keys, and the audit.

    Markdown on standard output; names, counts, digests and check values only. Use the contracts of the run's version:
    where a table's contract has changed since, the report says so.
    """
    from etl.ledger import Ledger
    from etl.reports.evidence import evidence as report
    from etl.settings import load_settings
    from schemas.contract_file import BUNDLED, load_contracts

    ledger = Ledger.of(load_settings(settings))
    typer.echo(report(ledger, run, load_contracts(contracts or BUNDLED)), nl=False)
