"""`kagemusha scan-leaks`: where data can be read that must not be, in counts only."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from etl.cli.options import ContractsFolder, SettingsFile
from etl.errors import STOPPED, SettingsInvalid

if TYPE_CHECKING:
    from etl.upkeep.scan.places import Place
    from masking.leaks import Leak, LeakKind, OwnIins


class Kind(StrEnum):
    """What can be looked for."""

    OWN_CARD = "own_card"
    TRACK = "track"
    PAN = "pan"
    MY_NUMBER = "my_number"
    EMAIL = "email"
    PHONE = "phone"
    MISFIT = "misfit"


def scan_leaks(
    target: Annotated[
        str, typer.Argument(help="A file or folder, gs://BUCKET/PREFIX, or a BigQuery DATASET or DATASET.TABLE.")
    ],
    kind: Annotated[list[Kind] | None, typer.Option(help="What to look for; repeat for several; default: all.")] = None,
    settings: SettingsFile = None,
    contracts: ContractsFolder = None,
    iin: Annotated[
        list[str] | None,
        typer.Option(help="First 6 to 8 digits of the issuer's own cards; repeat for several; else of the settings."),
    ] = None,
) -> None:
    """Look for readable card numbers, track data, My Numbers, e-mail addresses and phones; say where and how many.

    Parquet, CSV and BigQuery are scanned by column, other files by line, compressed ones too. No value is shown. What a
    contract's may_look_like or format allows in a published table is not counted, the issuer's own cards always are.

    Ends with 0 when nothing was found, with 1 when something was, with 2 when something could not be scanned.
    """
    from etl.upkeep.scan.places import Unreadable, scan
    from masking.leaks import LeakKind

    total: Counter[LeakKind] = Counter()
    rows = places = 0
    unread = []
    own = tuple(iin or _own_iins(settings))
    for found in scan(_places(target, settings, contracts), frozenset(map(LeakKind, kind or LeakKind)), own):
        places += 1
        rows += found.rows
        for leak in found.leaks:
            total[leak.kind] += leak.count
            typer.echo(f"{found.place}: {leak.column}: {leak.count:,} {_said(leak)}")
        if found.problem:
            unread.append(found)
            typer.echo(f"{found.place}: NOT SCANNED: {found.problem}", err=True)
    if not places:
        raise SettingsInvalid(
            "There is nothing there.",
            not_done="Nothing was scanned.",
            advice="Check the name.",
            where={"target": target},
        )
    counts = ", ".join(f"{count:,} {kind}" for kind, count in sorted(total.items())) or "nothing found"
    typer.echo(f"{places:,} scanned, {rows:,} rows: {counts}")
    if total:
        raise typer.Exit(STOPPED)
    if unread:
        raise typer.Exit(Unreadable.exit_code)


def _said(leak: Leak) -> str:
    """Returns what was found; of a column of card numbers also by which share of its numbers it is told."""
    said = "do not fit the declared format" if leak.kind == "misfit" else f"look like {leak.kind}"
    if leak.kind == "pan" and leak.share.too_high():
        said += f"; a column of card numbers: {leak.share.valid:,} of {leak.share.numbers:,} numbers pass Luhn"
    return said


def _own_iins(settings: Path | None) -> OwnIins:
    """Returns the issuer's own IINs of the settings; files are scanned without settings too."""
    from etl.settings import LOCAL, VARIABLE, load_settings

    if settings is None and not Path(os.environ.get(VARIABLE, LOCAL)).is_file():
        return ()
    return load_settings(settings).cards.own_iins


def _places(target: str, settings: Path | None, contracts: Path | None) -> Iterator[Place]:
    from etl.settings import load_settings
    from etl.upkeep.scan.targets import local_places, object_places, table_places
    from schemas.contract_file import BUNDLED, load_contracts

    if target.startswith("gs://"):
        return object_places(target, load_settings(settings))
    if Path(target).exists():
        return local_places(Path(target))
    return table_places(target, load_settings(settings), load_contracts(contracts or BUNDLED))
