"""`kagemusha tokenize`: the tokens that the pipeline publishes for values on standard input."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from etl.cli.access_log import access_log_path
from etl.cli.options import ContractsFolder, SettingsFile
from etl.errors import STOPPED


def tokenize(
    *,
    domain: Annotated[str, typer.Option(help="The domain of the values, as the contracts name it.")],
    stdin: Annotated[
        bool, typer.Option("--stdin", help="Read values, one a line, from standard input; there is no other way.")
    ] = False,
    purpose: Annotated[str, typer.Option(help="Why the tokens are needed; the access log keeps it.")] = "",
    version: Annotated[
        int | None, typer.Option(help="Key version that makes the tokens; default: the primary.")
    ] = None,
    audit_log: Annotated[
        Path | None, typer.Option(help="The access log, where the settings name none ([detokenize].audit_log).")
    ] = None,
    settings: SettingsFile = None,
    contracts: ContractsFolder = None,
) -> None:
    """Turn values of one domain into the tokens that tables hold, one a line, in their order.

    The settings say which domains ([tokenize].domains); who asked, for how many, and why is on disk before the first
    token. A line that is no value of the domain's columns becomes an empty line.

    Ends with 0 when every line became a token, with 1 when some did not, with 2 when no token may be made.
    """
    from etl.keys import open_keyring
    from etl.settings import load_settings
    from etl.upkeep.detokenize.access_log import AccessLog
    from etl.upkeep.tokenize import TokenizeRefused, refuse_domain
    from etl.upkeep.tokenize import tokenize as made_batches
    from masking.keyring import KeyRef
    from schemas.contract_file import BUNDLED, load_contracts
    from schemas.domains import token_use

    if not stdin:
        raise TokenizeRefused("Values come on standard input.", not_done="No token was made.", advice="Add --stdin.")
    chosen = load_settings(settings)
    refuse_domain(domain, chosen.tokenize.domains)
    log = AccessLog(access_log_path(chosen.detokenize, audit_log, "No token was made."))
    use = token_use(load_contracts(contracts or BUNDLED).values(), domain)
    keys = open_keyring(KeyRef(chosen.keyring.ref))
    failed = 0
    for batch in made_batches(sys.stdin, use, purpose, keys, log, version, chosen.cards.own_iins):
        failed += batch.count(None)
        sys.stdout.writelines(f"{token or ''}\n" for token in batch)
        sys.stdout.flush()
    if failed:
        typer.echo(f"{failed} lines are no values of domain {domain}; they gave empty lines.", err=True)
        raise typer.Exit(STOPPED)
