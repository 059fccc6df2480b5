"""`kagemusha discover`: a first contract for a table that has none."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from etl.cli.options import ContractsFolder, SettingsFile
from etl.errors import NO_ROW_READ, SettingsInvalid
from masking.errors import CONTRACT_MUST_CHANGE


def discover(
    target: Annotated[str, typer.Argument(help="SCHEMA.TABLE at the source, or SCHEMA with --all.")],
    *,
    every: Annotated[bool, typer.Option("--all", help="Every table of the schema that no contract reads.")] = False,
    sample: Annotated[
        int, typer.Option(min=0, max=100_000, help="Look at about so many rows in memory; counts are shown, no value.")
    ] = 0,
    named: Annotated[str, typer.Option("--as", help="The contract's table, where the source's name does not do.")] = "",
    key: Annotated[
        list[str] | None, typer.Option(help="A column of the key, where the catalogue has none; repeat for several.")
    ] = None,
    into: Annotated[
        Path | None, typer.Option(help="Write TABLE.yaml into this folder instead of printing; nothing is overwritten.")
    ] = None,
    settings: SettingsFile = None,
    contracts: ContractsFolder = None,
) -> None:
    """Propose a contract: types and key from the catalogue, classes from names, and `drop` for what is unclear.

    Without --sample no row is read. Ends with 0, or with 2 where a table got no contract.
    """
    if every is ("." in target) or (every and (named or key)):
        raise SettingsInvalid(
            "The target and the options do not go together.",
            not_done=NO_ROW_READ,
            advice="Write `discover SCHEMA.TABLE [--as NAME] [--key COLUMN]` or `discover SCHEMA --all`.",
        )
    from etl.authoring.discover import discover as propose
    from etl.settings import load_settings
    from schemas.contract_file import BUNDLED, load_contracts

    folder = contracts or BUNDLED
    known = load_contracts(folder) if any(folder.glob("*.yaml")) else {}
    source = load_settings(settings).source
    tables, schema = ((), target) if every else ((target,), "")
    proposals = propose(source, known, tables, schema, named, key or (), sample)
    failed = False
    for one in proposals:
        if one.failure is not None:
            typer.echo(f"{type(one.failure).__name__}: {one.failure}", err=True)
            failed = True
        elif into is None:
            typer.echo(one.text if len(proposals) == 1 else f"# {one.table}.yaml\n{one.text}")
        else:
            _write(into / f"{one.table}.yaml", one.text)
    if failed:
        raise typer.Exit(CONTRACT_MUST_CHANGE)


def _write(path: Path, text: str) -> None:
    written = False
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(text)
            written = True
    except OSError:
        pass
    if not written:
        raise SettingsInvalid(
            "A contract's file is there already, or its folder is not.",
            not_done="It was not overwritten.",
            advice="Take the file away, or name another folder with --into.",
            where={"file": path},
        )
    typer.echo(f"wrote {path}")
