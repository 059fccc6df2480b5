"""`kagemusha keys`: make, list, rotate, retire, destroy and verify key versions; no command shows a key."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from etl.cli.options import ContractsFolder, SettingsFile

if TYPE_CHECKING:
    from masking.keyring import Keyring

keys = typer.Typer(name="keys", help="The keyring and its versions. No command shows a key.", no_args_is_help=True)

Ref = Annotated[
    str | None,
    typer.Option(help="file:PATH, awskms+file:PATH or secretsmanager:NAME; default: [keyring].ref of the settings."),
]
Version = Annotated[int, typer.Argument(help="The key version, as `kagemusha keys list` shows it.")]


@keys.command()
def init(
    ref: Ref = None,
    settings: SettingsFile = None,
    cmk: Annotated[
        str | None, typer.Option(help="Id, ARN or alias of the AWS KMS key that wraps the keyring; not for file:.")
    ] = None,
) -> None:
    """Make a keyring with one new key. An existing one is never replaced."""
    from etl.keys import create_keyring

    where = _where(ref, settings)
    _show(where, create_keyring(where, cmk))


@keys.command("list")
def show(ref: Ref = None, settings: SettingsFile = None) -> None:
    """Show versions, states and check values."""
    from etl.keys import open_keyring
    from masking.keyring import KeyRef

    where = _where(ref, settings)
    _show(where, open_keyring(KeyRef(where)))


@keys.command()
def rotate(ref: Ref = None, settings: SettingsFile = None) -> None:
    """Make a new version. It is pending: loads go on under the present one until `kagemusha retokenize` uses it."""
    from etl.keys import rotate_keyring

    where = _where(ref, settings)
    keyring = rotate_keyring(where)
    _show(where, keyring)
    typer.echo(
        f"Version {keyring.pending} is pending; loads go on under version {keyring.primary}. Run `kagemusha "
        "retokenize` at any time: it leads old tokens to new ones, uses the version, and renews what is published."
    )


@keys.command()
def retire(version: Version, ref: Ref = None, settings: SettingsFile = None) -> None:
    """Let a version read its old tokens but make no new ones."""
    from etl.keys import change_keyring

    where = _where(ref, settings)
    _show(where, change_keyring(where, lambda keyring: keyring.retired(version)))


@keys.command()
def destroy(
    version: Version,
    ref: Ref = None,
    settings: SettingsFile = None,
    contracts: ContractsFolder = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,  # noqa: FBT002  typer's way to a flag
    orphan: Annotated[
        str, typer.Option(help="Why tokens that still stand may be given up; written down in ops.key_events.")
    ] = "",
) -> None:
    """Remove a retired version's key forever: nobody can turn its tokens back, and no backup of ours has it.

    Published rows, token maps, staged files and the ledger are looked through first; while any of them holds a token of
    the version, its key stays (exit code 2) unless --orphan says why not.
    """
    from etl.errors import SettingsInvalid
    from etl.installation import Installation
    from etl.settings import load_settings
    from etl.upkeep.keys.destroy import destroy_version
    from schemas.contract_file import BUNDLED, load_contracts

    chosen, where = load_settings(settings), _where(ref, settings)
    if where != chosen.keyring.ref:
        raise SettingsInvalid(
            "The settings name another keyring: they do not tell what its tokens are in.",
            not_done="No key was destroyed.",
            advice="Name the settings of the installation that uses the keyring.",
        )
    known = load_contracts(contracts or BUNDLED)
    if not yes:
        typer.confirm(f"Destroy key version {version} of {where}?", abort=True)
    keyring, held, signed = destroy_version(Installation.open(chosen), known.values(), version, orphan)
    _show(where, keyring)
    for one in held:
        typer.echo(f"Orphaned: {one}.")
    if signed:
        typer.echo(f"{signed:,} rows of the ledger were signed under it: nobody can prove them any more.")


@keys.command()
def verify(
    ref: Ref = None,
    settings: SettingsFile = None,
    version: Annotated[int | None, typer.Option(help="A version that must be there.")] = None,
    kcv: Annotated[str | None, typer.Option(help="The check value that this version must have.")] = None,
) -> None:
    """Open the keyring as a worker does, check each key against its check value, seal and open a probe with it."""
    from etl.keys import open_keyring, prove_version
    from masking.keyring import KeyRef

    where = _where(ref, settings)
    keyring = open_keyring(KeyRef(where))
    open_keyring(KeyRef(where, version if version is not None else keyring.primary, kcv))
    for each in keyring.versions:
        if each.state != "destroyed":
            prove_version(keyring, each.version)
        proof = "no key" if each.state == "destroyed" else "works"
        typer.echo(f"version {each.version}  {each.state:9}  {each.kcv}  {proof}")


def _where(ref: str | None, settings: Path | None) -> str:
    if ref:
        return ref
    from etl.settings import load_settings

    return load_settings(settings).keyring.ref


def _show(where: str, keyring: Keyring) -> None:
    typer.echo(f"keyring  {where}")
    for each in keyring.versions:
        typer.echo(f"version {each.version}  {each.state:9}  {each.kcv}  made {each.created}")
