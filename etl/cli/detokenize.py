"""`kagemusha detokenize`: values behind tokens, for a purpose that is written down first."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Annotated, Final, TextIO

import typer

from etl.cli.access_log import access_log_path
from etl.cli.options import ContractsFolder, SettingsFile
from etl.errors import STOPPED, SettingsInvalid

_ESCAPES: Final = str.maketrans({"\\": "\\\\", "\n": "\\n", "\r": "\\r"})


def detokenize(
    domain: Annotated[str, typer.Option(help="The domain of the tokens, as the contracts name it.")],
    file: Annotated[Path | None, typer.Argument(help="Tokens, one a line; standard input if none or -.")] = None,
    purpose: Annotated[str, typer.Option(help="Why the values are needed; the access log keeps it.")] = "",
    version: Annotated[
        int | None, typer.Option(help="Key version of fpe tokens, which do not name theirs; default: the primary.")
    ] = None,
    audit_log: Annotated[
        Path | None, typer.Option(help="The access log, where the settings name none ([detokenize].audit_log).")
    ] = None,
    settings: SettingsFile = None,
    contracts: ContractsFolder = None,
) -> None:
    r"""Turn tokens of one domain back into values, one a line, in their order, on standard output only.

    Who asked, for how many, and why is on disk before the first value. Only tokenize and fpe can be turned back; a line
    that is not a token of the domain becomes an empty line. Line breaks within values show as \n, backslashes as \\.

    Ends with 0 when every line was a token, with 1 when some were not, with 2 when nothing may be shown.
    """
    from etl.keys import open_keyring
    from etl.settings import load_settings
    from etl.upkeep.detokenize.access_log import AccessLog
    from etl.upkeep.detokenize.detokenize import DetokenizeRefused, stated_purpose
    from etl.upkeep.detokenize.detokenize import detokenize as opened_batches
    from masking.keyring import KeyRef
    from schemas.contract_file import BUNDLED, load_contracts
    from schemas.domains import reversible_use

    stated_purpose(purpose)
    chosen = load_settings(settings)
    log = AccessLog(access_log_path(chosen.detokenize, audit_log, "No value was unmasked."))
    if chosen.detokenize.domains and domain not in chosen.detokenize.domains:
        raise DetokenizeRefused(
            "The settings do not allow that domain to be turned back.",
            not_done="No value was unmasked.",
            advice=f"[detokenize].domains allows: {', '.join(chosen.detokenize.domains)}.",
        )
    use = reversible_use(load_contracts(contracts or BUNDLED).values(), domain)
    keys = open_keyring(KeyRef(chosen.keyring.ref))
    failed = 0
    with _tokens(file) as lines:
        for batch in opened_batches(lines, use, purpose, keys, log, version, chosen.cards.own_iins):
            failed += batch.failed
            sys.stdout.writelines(f"{(value or '').translate(_ESCAPES)}\n" for value in batch.values)
            sys.stdout.flush()
    if failed:
        typer.echo(f"{failed} lines are no tokens of domain {domain}; they gave empty lines.", err=True)
        raise typer.Exit(STOPPED)


@contextmanager
def _tokens(file: Path | None) -> Iterator[TextIO]:
    if file is None or str(file) == "-":
        yield sys.stdin
        return
    stream = None
    with suppress(OSError):
        stream = file.open(encoding="utf-8", errors="replace")
    if stream is None:
        raise SettingsInvalid(
            "The file of tokens cannot be read.", not_done="No value was unmasked.", advice="", where={"file": file}
        )
    with stream:
        yield stream
