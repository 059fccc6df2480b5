"""`kagemusha prepare`: datasets, ledger and the bucket's rule are there before the first run."""

from __future__ import annotations

import typer

from etl.cli.options import ContractsFolder, SettingsFile


def prepare(settings: SettingsFile = None, contracts: ContractsFolder = None) -> None:
    """Create datasets with their access, the ledger, and what lets staged files expire; safe to run again.

    Exit codes: 0 done, 2 settings must change, 3 run again.
    """
    from etl.settings import load_settings
    from etl.upkeep.prepare import prepare as make_ready
    from schemas.contract_file import BUNDLED, load_contracts

    done = make_ready(load_settings(settings), load_contracts(contracts or BUNDLED))
    typer.echo(f"Datasets: {', '.join(done.datasets)}.")
    typer.echo(f"The bucket deletes staged files after {done.expires_days} days.")
