"""`kagemusha links`: what opens each view in Looker Studio, a sheet, or BigQuery's console."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Annotated, Literal

import typer

from etl.cli.options import ContractsFolder, SettingsFile


def links(
    *,
    view: Annotated[list[str] | None, typer.Option(help="A view; repeat for several; default: all.")] = None,
    language: Annotated[Literal["en", "ja"], typer.Option(help="Of reports' names: en or ja.")] = "en",
    as_json: Annotated[bool, typer.Option("--json", help="Write JSON.")] = False,
    settings: SettingsFile = None,
    contracts: ContractsFolder = None,
) -> None:
    """Show links that open views: a new report of Looker Studio, BigQuery's console, and the way into a sheet.

    A report made by a link belongs to whoever opens it. Reports for many should use a service account's credentials:
    their readers then need no right on the data, and no question depends on one person's account.
    """
    from etl.errors import SettingsInvalid
    from etl.reports.links import links as made
    from etl.reports.words.wording import wording
    from etl.settings import load_settings
    from schemas.contract_file import BUNDLED
    from schemas.view_file import load_views

    views = {one.name: one for one in load_views((contracts or BUNDLED) / "views")}
    unknown = sorted(set(view or ()) - views.keys())
    if unknown:
        raise SettingsInvalid(
            f"There is no view {', '.join(unknown)}.",
            not_done="No link was made.",
            advice=f"Views: {', '.join(views)}.",
        )
    chosen = [views[name] for name in (view or views)]
    found = made(load_settings(settings).bigquery, chosen, language)
    if as_json:
        typer.echo(json.dumps([asdict(one) for one in found], ensure_ascii=False, indent=2))
        return
    for one in found:
        typer.echo(f"{one.view} — {one.about}")
        typer.echo(f"  Looker Studio  {one.report}\n  BigQuery       {one.console}\n  Google Sheets  {one.sheet}")
        typer.echo(f"                 {one.sheet_steps}\n")
    typer.echo(wording(language).text("open.credentials"))
