"""`kagemusha export`: contracts as other tools read them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from etl.cli.options import ContractsFolder, SettingsFile


def export(
    form: Annotated[Literal["odcs", "dbt"], typer.Argument(help="odcs: data contracts; dbt: sources.yml.")],
    to: Annotated[Path, typer.Option(help="The folder to write into; it is made where it is missing.")],
    settings: SettingsFile = None,
    contracts: ContractsFolder = None,
) -> None:
    """Write contracts in a form that other tools read: names, types, classes, masks, tests; never a value.

    odcs writes a file for each table, `<table>.odcs.yaml`; dbt writes `sources.yml`.
    """
    import yaml

    from etl.exports.dbt_sources import dbt_sources
    from etl.exports.odcs import odcs
    from etl.settings import load_settings
    from schemas.contract_file import BUNDLED, load_contracts

    where, known = load_settings(settings).bigquery, load_contracts(contracts or BUNDLED)
    written = (
        {f"{name}.odcs.yaml": odcs(contract, where) for name, contract in known.items()}
        if form == "odcs"
        else {"sources.yml": dbt_sources(known.values(), where)}
    )
    to.mkdir(parents=True, exist_ok=True)
    for name, document in written.items():
        text = yaml.safe_dump(document, sort_keys=False, allow_unicode=True, width=120)
        (to / name).write_text(text, encoding="utf-8")
    typer.echo(f"{len(written)} files are in {to}.")
