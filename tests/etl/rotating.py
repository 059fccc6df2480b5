"""A rotation whose new version is in use at once, for tests of what comes after it."""

from __future__ import annotations

from etl.keys import activate_keyring, rotate_keyring
from masking.keyring import Keyring


def rotate_and_use(where: str) -> Keyring:
    """Adds a version to the stored keyring and puts it into use, as a retokenization does when all maps are made."""
    return activate_keyring(where, rotate_keyring(where).pending or 0)
