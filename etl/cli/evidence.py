"""`kagemusha evidence`: a run's report for security officers and assessors."""

from __future__ import annotations

from typing import Annotated, Literal

import typer

from etl.cli.options import ContractsFolder, Language, SettingsFile

Format = Annotated[
    Literal["markdown", "json"], typer.Option("--format", help="markdown for people, json for programs.")
]


def evidence(
    run: Annotated[str, typer.Argument(metavar="RUN", help="The run, as `kagemusha runs` shows it.")],
    since: Annotated[
        str | None, typer.Option(metavar="RUN", help="An earlier run: print what is newly exposed since then.")
    ] = None,
    language: Language = None,
    output: Format = "markdown",
    settings: SettingsFile = None,
    contracts: ContractsFolder = None,
) -> None:
    """Print what a run answers of PCI DSS and Japanese law: what left, how protected, under which keys, who looked.

    Names, counts, digests and check values only. Columns are those of the contracts that the run kept; where the
    ledger does not prove that these ran, the report says so.
    """
    from etl.reports.evidence import comparison_text, evidence_text
    from etl.reports.plain import as_json
    from etl.reports.proof.comparison import compare
    from etl.reports.proof.evidence import evidence_of
    from etl.reports.words.wording import wording
    from etl.settings import load_settings

    chosen = load_settings(settings)
    found = evidence_of(chosen, run, contracts)
    say = wording(language or chosen.site.language)
    if since is None:
        typer.echo(as_json(found) if output == "json" else evidence_text(found, say), nl=output == "json")
        return
    compared = compare(evidence_of(chosen, since, contracts), found)
    typer.echo(as_json(compared) if output == "json" else comparison_text(compared, say), nl=output == "json")
