"""`kagemusha retokenize`: published tokens under the primary key version, without reading the source."""

from __future__ import annotations

from typing import Annotated

import typer

from etl.cli.options import ContractsFolder, SettingsFile


def retokenize(
    table: Annotated[
        list[str] | None, typer.Option(help="A contract's table; repeat for several; default: all.")
    ] = None,
    settings: SettingsFile = None,
    contracts: ContractsFolder = None,
) -> None:
    """Renew the tokens of published tables after `kagemusha keys rotate`; safe to run again at any point.

    First, while no run publishes, token maps are made for all published tables, and the pending key version comes into
    use; while one does, this ends with exit code 3 and nothing has changed. Until the last table is done, views look
    through ops.token_map_<domain>, which leads old tokens to present ones, so that their joins go on working. One-way
    columns (pseudonymize, shift_date, keyed fields of a document) stay: only a load from the source renews them.

    Exit codes: 0 done, 1 an audit stopped a table, 2 a contract or a key must change, 3 run again.
    """
    from etl.settings import load_settings

    chosen = load_settings(settings)
    from etl.progress import progress
    from etl.upkeep.retokenize.retokenize import retokenize as run
    from schemas.contract_file import BUNDLED

    with progress() as heard:
        result = run(chosen, heard, table or [], contracts or BUNDLED)
    for one in result.tables:
        typer.echo(f"{one.table}: {one.rows:,} rows, {one.partitions} partitions, {one.seconds:.1f} s")
        if one.one_way:
            typer.echo(f"{one.table}: one-way and as they were: {', '.join(one.one_way)}")
        if one.error:
            typer.echo(f"{one.table}: {one.error}", err=True)
    if result.open_maps:
        typer.echo(f"Old tokens are left; views look through the token maps of {', '.join(result.open_maps)}.")
    else:
        typer.echo(f"Every token that can be renewed is of key version {result.version}; no token map is open.")
    raise typer.Exit(result.exit_code)
