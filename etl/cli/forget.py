"""`kagemusha forget`: what BigQuery holds of persons, and its erasure as the contracts say; identifiers on stdin."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated, Final

import typer

from etl.cli.options import ContractsFolder, SettingsFile

if TYPE_CHECKING:
    from etl.settings import Settings
    from etl.upkeep.erase.forget import Erasure

_WIDTH_WITHOUT_TERMINAL: Final = 140


def forget(
    domain: Annotated[str, typer.Option(help="The domain of the identifiers, as the contracts name it.")],
    stdin: Annotated[  # noqa: FBT002  typer's way to a flag
        bool, typer.Option("--stdin", help="Read identifiers, one a line, from standard input; there is no other way.")
    ] = False,
    apply: Annotated[  # noqa: FBT002  see above
        bool, typer.Option("--apply", help="Erase. Without it, rows are counted and nothing changes.")
    ] = False,
    purpose: Annotated[str, typer.Option(help="The case; the ledger keeps it. Needed with --apply.")] = "",
    settings: SettingsFile = None,
    contracts: ContractsFolder = None,
) -> None:
    """Find persons in every published table of a domain; with --apply, erase them as each contract's `erasure:` says.

    Identifiers are what the source has (a member's number), never tokens. They become tokens under every key version
    that is not destroyed. Output and ledger (ops.erasures) hold counts and keyed references only.

    Exit codes: 0 done, 2 a contract or the call must change, or rows cannot be searched any more; 3 a run holds a
    table: run again.
    """
    from etl.keys import open_keyring
    from etl.ledger import Ledger
    from etl.settings import load_settings
    from etl.upkeep.erase.forget import forget as erase
    from etl.upkeep.erase.persons import ErasureRefused, read_persons
    from masking.keyring import KeyRef
    from schemas.contract_file import BUNDLED, load_contracts

    if not stdin:
        raise ErasureRefused(
            "Identifiers come on standard input.", not_done="Nothing was erased.", advice="Add --stdin."
        )
    persons = read_persons(sys.stdin)
    chosen = load_settings(settings)
    ledger = Ledger.of(chosen)
    keys = open_keyring(KeyRef(chosen.keyring.ref))
    known = load_contracts(contracts or BUNDLED)
    done = erase(chosen, ledger, known, keys, domain, persons, purpose, apply=apply)
    _print(done, chosen)
    raise typer.Exit(done.exit_code)


def _print(done: Erasure, settings: Settings) -> None:
    from rich.console import Console
    from rich.table import Table

    asked = f"{done.persons} identifiers of domain {done.domain}, key versions {', '.join(map(str, done.key_versions))}"
    drawn = Table("table", "rule", title=asked, title_justify="left")
    for name in ("rows found", "rows changed"):
        drawn.add_column(name, justify="right")
    drawn.add_column("note")
    for one in done.tables:
        changed = f"{one.changed:,}" if done.applied else "-"
        drawn.add_row(one.table, one.rule, f"{one.found:,}", changed, one.note)
    Console(width=None if sys.stdout.isatty() else _WIDTH_WITHOUT_TERMINAL, markup=False, emoji=False).print(drawn)
    for one in done.tables:
        if one.error:
            typer.echo(f"{one.table}: {one.error}", err=True)
    if done.unsearched:
        typer.echo(
            f"NOT DONE: rows are under key version {', '.join(map(str, done.lost_versions))}, which was destroyed, and "
            f"nobody can tell whose: {'; '.join(map(str, done.unsearched))}. Load these tables again from the source, "
            "or delete the rows; then forget again.",
            err=True,
        )
    typer.echo(f"Erasure {done.erasure_id} is in ops.erasures." if done.applied else "Dry run: nothing was changed.")
    for line in _unreached(done, settings):
        typer.echo(f"  {line}")


def _unreached(done: Erasure, settings: Settings) -> list[str]:
    """Returns what an officer must know that an erasure does not reach."""
    lines = [
        "Not reached: the source. Erase the person there first, or loads bring the rows back as the notes say.",
        f"Not reached: staged files; they hold tokens and are deleted {settings.stage.keep_days} days after their run.",
        "Not reached: BigQuery's time travel (7 days unless the dataset says otherwise) and fail-safe (7 days more).",
        "Not reached: masked keys of quarantined rows in ops.table_loads, and copies that others made.",
    ]
    if done.lost_versions:
        lost = ", ".join(map(str, done.lost_versions))
        lines.append(f"Not reached: tokens of key version {lost}, which was destroyed: nobody can make them again.")
    if done.others:
        named = "; ".join(f"{table} ({', '.join(domains)})" for table, domains in done.others.items())
        lines.append(f"Not reached: tables that may know the person by other identifiers: {named}.")
    if done.documents:
        lines.append(f"Not reached: tokens inside documents: {', '.join(done.documents)}.")
    return lines
