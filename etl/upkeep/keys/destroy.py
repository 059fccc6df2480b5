"""The end of a key version: not while anything holds its tokens, unless somebody says why they may become orphans."""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

from etl.clock import now
from etl.errors import SettingsInvalid
from etl.installation import Installation
from etl.keys import change_keyring, stored_keyring
from etl.ledger import record_keys
from etl.upkeep.keys.held import Held, held_by, signed_under
from etl.upkeep.requester import account, checked_purpose, host
from masking.errors import CONTRACT_MUST_CHANGE, KagemushaError
from masking.keyring import Keyring
from schemas.contract import Contract

_NOT_DONE = "No key was destroyed."


class TokensHeld(KagemushaError):
    """Tokens of a key version still stand somewhere; without its key they could be neither found nor renewed."""

    exit_code: ClassVar[int] = CONTRACT_MUST_CHANGE
    advice = (
        "Run `kagemusha retokenize`, load one-way columns again, let staged files end; or give up these tokens with "
        '--orphan "PURPOSE".'
    )


class PurposeRefused(SettingsInvalid):
    """A purpose is missing, or must not be written down."""


def destroy_version(
    installation: Installation, contracts: Iterable[Contract], version: int, orphan: str = ""
) -> tuple[Keyring, tuple[Held, ...], int]:
    """Removes a retired version's key forever; returns the keyring, what held tokens, and how many rows it had signed.

    Args:
        installation: whose keyring it is, opened.
        contracts: of all tables.
        version: the key version.
        orphan: why tokens that still stand may be given up; it is written down before the key is gone.

    Raises:
        TokensHeld: tokens stand, and nobody says that they may be given up.
        SettingsInvalid: the ledger knows no load under the keyring, so it does not tell where tokens stand.
        PurposeRefused: the purpose must not be written down.
        KeyUnusable: the version is unknown, or not retired; or the ledger knows another key under its number.
    """
    where = installation.settings.keyring.ref
    kcv = stored_keyring(where).destroyed(version).version(version).kcv  # refuses a version that may not be destroyed
    known = record_keys(installation.ledger, installation.keys, f"destroy-{now():%Y%m%dT%H%M%SZ}").used
    if not known and not orphan:
        raise SettingsInvalid(
            "The ledger knows no load under this keyring: it does not tell what its tokens are in.",
            not_done=_NOT_DONE,
            advice="Name the settings of the installation that uses the keyring; or give its tokens up with "
            '--orphan "PURPOSE".',
        )
    held = held_by(installation.ledger, installation.bucket, contracts, version)
    signed = signed_under(installation.ledger, version)
    if held and not orphan:
        raise TokensHeld(
            f"Tokens of key version {version} are in {len(held)} places: {'; '.join(map(str, held))}.",
            not_done=_NOT_DONE,
        )
    if held:
        row = {
            "version": version,
            "event": "orphaned",
            "kcv": kcv,
            "happened_at": now(),
            "asked_by": f"{account()}@{host()}",
            "purpose": checked_purpose(orphan, PurposeRefused, _NOT_DONE),
            "held": [str(one) for one in held],
            "at": now(),
        }
        installation.ledger.append("key_events", [row])
    return change_keyring(where, lambda keyring: keyring.destroyed(version)), held, signed
