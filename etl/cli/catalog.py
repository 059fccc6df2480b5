"""`kagemusha catalog`: what a table or view is, and what became of each column."""

from __future__ import annotations

import sys
from typing import Annotated, Literal

import typer

from etl.cli.options import ContractsFolder, Language, SettingsFile

Format = Annotated[Literal["table", "json"], typer.Option("--format", help="table for people, json for programs.")]


def catalog(
    table: Annotated[str | None, typer.Argument(metavar="[TABLE]", help="A table or view; default: all.")] = None,
    language: Language = None,
    output: Format = "table",
    settings: SettingsFile = None,
    contracts: ContractsFolder = None,
) -> None:
    """Print what tables and views are: columns, what the mask did, joins, freshness, size, a query to begin with."""
    from etl.ledger import Ledger
    from etl.reports.catalog_text import one_entry, write_catalog
    from etl.reports.facts.installation import catalog_of
    from etl.reports.plain import as_json
    from etl.reports.words.wording import wording
    from etl.settings import load_settings

    chosen = load_settings(settings)
    found = catalog_of(chosen, Ledger.of(chosen), contracts)
    asked = found if table is None else one_entry(found, table)
    if output == "json":
        typer.echo(as_json(asked))
    else:
        write_catalog(asked, wording(language or chosen.site.language), sys.stdout)
