"""The database passwords of one local stack: made up once, kept in 0600 password files, never on a command line."""

from __future__ import annotations

import os
import pwd
import secrets
from collections.abc import Iterable
from pathlib import Path

from scripts.local_stack.processes import LOOPBACK


def create(file: Path, roles: Iterable[str], owner: str | None = None) -> None:
    """Writes a libpq password file with a fresh password for each role; other accounts cannot read it.

    Args:
        file: where it goes; an existing one is replaced.
        roles: database roles.
        owner: account that may read it; our own when None.
    """
    lines = (f"{LOOPBACK}:*:*:{role}:{secret}\n" for role, secret in fresh(roles).items())
    write_private(file, "".join(lines), owner)


def fresh(roles: Iterable[str]) -> dict[str, str]:
    """Returns role → a new password."""
    return {role: secrets.token_urlsafe(24) for role in roles}


def write_private(file: Path, text: str, owner: str | None = None) -> None:
    """Writes a file that only `owner` can read, from its first moment on."""
    file.parent.mkdir(parents=True, exist_ok=True)
    file.unlink(missing_ok=True)
    with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="ascii") as opened:
        opened.write(text)
    if owner:
        account = pwd.getpwnam(owner)
        os.chown(file, account.pw_uid, account.pw_gid)


def read(file: Path) -> dict[str, str]:
    """Returns role → password of a password file."""
    lines = (line.split(":") for line in file.read_text(encoding="ascii").splitlines())
    return {fields[3]: fields[4] for fields in lines}
