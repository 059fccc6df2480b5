"""Who asks, and why: what the access log and the ledger keep for years."""

from __future__ import annotations

import os
import pwd
import socket

import pyarrow as pa

from masking.errors import KagemushaError
from masking.leaks import MUST_NOT_BE_WRITTEN, count_leaks


def checked_purpose(purpose: str, refused: type[KagemushaError], not_done: str) -> str:
    """Returns the purpose as it will be written down.

    Args:
        purpose: as it was given.
        refused: the error to raise.
        not_done: what did not happen then.

    Raises:
        KagemushaError: of the given kind: there is none, or it holds what must not be written down.
    """
    stated = " ".join(purpose.split())
    if not stated:
        raise refused("No purpose was given.", not_done=not_done)
    if count_leaks(pa.array([stated]), MUST_NOT_BE_WRITTEN):
        raise refused(
            "The purpose holds what looks like a card number or My Number, and it is kept for years.",
            not_done=not_done,
            advice="Name a case or a ticket instead.",
        )
    return stated


def account() -> str:
    """Returns the account of this process, as the system knows it, whatever the environment says."""
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        return str(os.getuid())


def host() -> str:
    """Returns the name of this machine."""
    return socket.gethostname()
