"""`kagemusha leases`: which run may publish which table now, and a way to free what a killed run holds."""

from __future__ import annotations

from typing import Annotated

import typer

from etl.cli.options import SettingsFile


def leases(
    release_run: Annotated[
        str | None, typer.Option("--release", metavar="RUN", help="Free the leases of a run that is known to be dead.")
    ] = None,
    settings: SettingsFile = None,
) -> None:
    """Show who holds which table. A lease that its run does not renew ends by itself ([limits].lease_seconds).

    A run whose leases are freed while it still works does not publish any more: it proves its lease first.
    """
    from etl.ledger import Ledger, all_leases, release_leases
    from etl.settings import load_settings

    ledger = Ledger.of(load_settings(settings))
    if release_run is not None:
        typer.echo(f"{release_leases(ledger, release_run)} leases of run {release_run} were freed.")
        return
    held = sorted(all_leases(ledger), key=lambda one: one.table)
    for one in held:
        typer.echo(
            f"{one.table}  run {one.run_id}  since {one.since:%Y-%m-%d %H:%M:%S}"
            f"  until {one.until:%Y-%m-%d %H:%M:%S} UTC  fence {one.fence}"
        )
    if not held:
        typer.echo("No table is held.")
