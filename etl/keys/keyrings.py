"""Where keyrings are kept, and the one way to open them: by a KeyRef, once a process.

`file:PATH` is a bare keyring for development; the others are wrapped by AWS KMS: `awskms+file:PATH` in a file,
`secretsmanager:ARN` in a secret. Keys come from no setting, argument or Spark configuration.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from contextlib import nullcontext
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path

from etl.cloud.aws import call
from etl.keys.envelope import read_envelope, seal, unseal
from etl.keys.files import changed_alone, keyring_busy, read_private, read_text, write_private
from masking.errors import KeyUnusable
from masking.keyring import KeyRef, Keyring

FILE, WRAPPED_FILE, SECRET = "file", "awskms+file", "secretsmanager"
_NOT_LOADED = "No key was loaded."
_NOT_STORED = "No key was stored."


@lru_cache(maxsize=16)
def open_keyring(ref: KeyRef) -> Keyring:
    """Opens the keyring that a reference names; a process reads and unwraps it once.

    With a version in the reference, the keyring writes under that version even if a newer one was made since, so that
    a run ends under the key with which it began.

    Raises:
        KeyUnusable: when it is missing, malformed, open to others, or not the key that the reference expects.
        KeyServiceUnavailable: when AWS did not answer.
    """
    keyring = Keyring.from_json(_read(ref.where))
    if ref.version is None:
        return keyring
    found = keyring.version(ref.version)
    if ref.kcv not in (None, found.kcv):
        raise KeyUnusable(
            f"Key version {ref.version} has check value {found.kcv}, not {ref.kcv}: it is another key.",
            not_done="Nothing was masked.",
            advice="Restore the keyring with which the earlier tokens were made; a new key needs a new version.",
        )
    return keyring if keyring.primary == ref.version else keyring.pinned(ref.version)


def create_keyring(where: str, cmk: str | None = None) -> Keyring:
    """Makes a new keyring and stores it where none is yet.

    Args:
        where: a place as KeyRef names it.
        cmk: the KMS key that wraps it; needed everywhere but in a `file:`.

    Raises:
        KeyUnusable: when one is already there, or it cannot be stored.
    """
    scheme, name = _parts(where)
    if (cmk is None) != (scheme == FILE):
        raise KeyUnusable(
            f"A keyring in {scheme}: is {'not ' * (scheme == FILE)}wrapped by a KMS key.",
            not_done="No keyring was made.",
            advice="Name the KMS key with --cmk for awskms+file: and secretsmanager: places, and only for them.",
        )
    keyring = Keyring.create(_now())
    text = keyring.to_json() if cmk is None else seal(keyring.to_json(), cmk)
    if scheme == SECRET:
        call("secretsmanager", "create_secret", Name=name, SecretString=text)
    else:
        write_private(Path(name), text, replace=False)
    return keyring


def create_keyring_file(path: Path) -> Keyring:
    """Makes a new keyring in a file of mode 0600, for development."""
    return create_keyring(f"{FILE}:{path}")


def change_keyring(where: str, change: Callable[[Keyring], Keyring]) -> Keyring:
    """Stores the changed keyring in place of the old one, wrapped by the same KMS key.

    Raises:
        KeyUnusable: as `open_keyring` does; or the keyring cannot be changed so.
        KeyringBusy: when somebody else changed it since it was read here.
        KeyServiceUnavailable: when AWS did not answer.
    """
    scheme, name = _parts(where)
    with nullcontext() if scheme == SECRET else changed_alone(Path(name)):
        stored = _stored(where)
        changed = change(Keyring.from_json(stored if scheme == FILE else unseal(stored)))
        text = changed.to_json() if scheme == FILE else seal(changed.to_json(), read_envelope(stored).cmk)
        if scheme == SECRET:
            _follow(name, stored, text)
        else:
            write_private(Path(name), text, replace=True)
    open_keyring.cache_clear()
    return changed


def _follow(name: str, stored: str, text: str) -> None:
    """Makes a text the secret's next version after the one that was read.

    The version is called by what it follows, and Secrets Manager gives no name twice ("PutSecretValue",
    ClientRequestToken): of two that follow the same one, the later is refused.
    """
    token, followed = hashlib.sha256(stored.encode()).hexdigest(), False
    try:
        call("secretsmanager", "put_secret_value", SecretId=name, SecretString=text, ClientRequestToken=token)
    except KeyUnusable as error:
        if "ResourceExistsException" not in error.what:
            raise
        followed = True
    if followed:
        raise keyring_busy(f"{SECRET}:{name}")


def rotate_keyring(where: str) -> Keyring:
    """Adds a new version to the stored keyring, pending: what is loaded is masked as before until it is activated."""
    return change_keyring(where, lambda keyring: keyring.rotated(_now()))


def activate_keyring(where: str, version: int) -> Keyring:
    """Makes the stored keyring's pending version the primary one; one that is primary already stays so."""
    return change_keyring(where, lambda keyring: keyring.activated(version))


def stored_keyring(where: str) -> Keyring:
    """Returns the keyring that is stored now, whatever this process has opened before."""
    return Keyring.from_json(_read(where))


def _read(where: str) -> str:
    stored = _stored(where)
    return stored if _parts(where)[0] == FILE else unseal(stored)


def _stored(where: str) -> str:
    scheme, name = _parts(where)
    if scheme == FILE:
        return read_private(Path(name))
    if scheme == WRAPPED_FILE:
        return read_text(Path(name))
    return str(call("secretsmanager", "get_secret_value", SecretId=name).get("SecretString", ""))


def _parts(where: str) -> tuple[str, str]:
    scheme, _, name = where.partition(":")
    if scheme not in (FILE, WRAPPED_FILE, SECRET) or not name:
        raise KeyUnusable(
            "The place of the keyring is none that is known.",
            not_done=_NOT_LOADED,
            advice=f"Use {FILE}:PATH, {WRAPPED_FILE}:PATH or {SECRET}:NAME in [keyring].ref.",
        )
    return scheme, name


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
