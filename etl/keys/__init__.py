"""Keyrings where they are kept: files and AWS, opened once a process; what travels is a reference."""

from etl.keys.keyrings import (
    activate_keyring,
    change_keyring,
    create_keyring,
    create_keyring_file,
    open_keyring,
    rotate_keyring,
    stored_keyring,
)
from etl.keys.probe import prove_version

__all__ = [
    "activate_keyring",
    "change_keyring",
    "create_keyring",
    "create_keyring_file",
    "open_keyring",
    "prove_version",
    "rotate_keyring",
    "stored_keyring",
]
