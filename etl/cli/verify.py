"""`kagemusha verify`: BigQuery against the ledger against the source, for one business day; counts only."""

from __future__ import annotations

import sys
from typing import Annotated, Final

import typer

from etl.cli.options import ContractsFolder, SettingsFile
from etl.entry import business_day
from etl.errors import STOPPED

_WIDTH_WITHOUT_TERMINAL: Final = 140


def verify(
    day: Annotated[str, typer.Option(help="Business day (JST), YYYY-MM-DD.")],
    table: Annotated[
        list[str] | None, typer.Option(help="A contract's table; repeat for several; default: all.")
    ] = None,
    settings: SettingsFile = None,
    contracts: ContractsFolder = None,
) -> None:
    """Compare rows, and sums of the contracts' `reconcile` columns, of one business day: in BigQuery, ledger, source.

    The source is asked on a proven reader, for aggregates only. `moved on` says that the source of a table that is
    loaded whole has changed since its last load, as it does all day; it is no difference.

    Ends with 0 when nothing differs, with 1 when something does or the day was not loaded.
    """
    from rich.console import Console
    from rich.table import Table

    from etl.ledger import Ledger
    from etl.reports.verify import any_difference
    from etl.reports.verify import verify as compared
    from etl.settings import load_settings
    from schemas.contract_file import BUNDLED, load_contracts, select_contracts

    chosen = load_settings(settings)
    target = business_day(day)
    ledger = Ledger.of(chosen)
    found = compared(ledger, chosen, target, select_contracts(load_contracts(contracts or BUNDLED), table or []))
    drawn = Table("table", "measure", "against", title=f"Business day {target}", title_justify="left")
    drawn.add_column("BigQuery", justify="right")
    drawn.add_column("expected", justify="right")
    drawn.add_column("verdict")
    drawn.add_column("why")
    for one in found:
        measure = one.measure if one.measure == "rows" else f"sum({one.measure})"
        drawn.add_row(
            one.table, measure, one.against, _count(one.published), _count(one.expected), one.verdict, one.why
        )
    Console(width=None if sys.stdout.isatty() else _WIDTH_WITHOUT_TERMINAL, markup=False, emoji=False).print(drawn)
    differing = sum(one.differs for one in found)
    typer.echo(f"{len(found)} comparisons, {differing} differ.")
    if any_difference(found):
        raise typer.Exit(STOPPED)


def _count(number: int | None) -> str:
    return "" if number is None else f"{number:,}"
