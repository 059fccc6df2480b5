"""`kagemusha cost`: what a query, or each view, would read and cost; nothing is read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from etl.cli.options import SettingsFile

if TYPE_CHECKING:
    from etl.reports.cost import Cost


def cost(
    *,
    sql: Annotated[str | None, typer.Argument(help="A query; without one, every view that is published.")] = None,
    settings: SettingsFile = None,
) -> None:
    """Say how many bytes a query would read, what that costs, and what this month's free tier still holds.

    BigQuery plans the query and reads nothing. The free tier belongs to the billing account: other projects of it may
    have used some that this one does not see.

    Ends with 0 when the query can be asked, with 2 when it is wrong or not allowed.
    """
    from etl.reports.cost import cost as planned
    from etl.reports.cost import cost_of_views
    from etl.settings import load_settings

    chosen = load_settings(settings)
    if sql is not None:
        _say("", planned(chosen, sql))
        return
    for name, found in cost_of_views(chosen).items():
        _say(f"{name}: ", found)


def _say(what: str, found: Cost) -> None:
    left = "unknown" if found.free_left is None else f"{found.free_left / 2**30:,.1f} GiB"
    typer.echo(
        f"{what}reads {found.read / 2**30:,.3f} GiB, {found.usd:,.4f} USD; of this month's free tier {left} is left, "
        f"so {found.billed_usd:,.4f} USD would be billed."
    )
