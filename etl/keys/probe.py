"""A key version at work: it opens what it sealed, as a run would find out later."""

from __future__ import annotations

import pyarrow as pa

from masking.errors import KeyUnusable
from masking.kernels.buffers import ByteStrings
from masking.kernels.siv import siv_decrypt, siv_encrypt
from masking.keyring import Keyring

_CONTEXT = "kagemusha.verify"


def prove_version(keyring: Keyring, version: int) -> None:
    """Seals a probe with a key version and opens it again.

    Raises:
        KeyUnusable: what it opened is not what it sealed.
    """
    key = keyring.subkey_for_reading(_CONTEXT, "aes_siv", 64, version)
    probe = pa.array(["probe"])
    sealed = siv_encrypt(key, ByteStrings.from_arrow(probe), _CONTEXT.encode())
    opened, failed = siv_decrypt(key, ByteStrings.from_arrow(sealed), _CONTEXT.encode())
    if failed.any() or opened.cast(pa.string()) != probe:
        raise KeyUnusable(
            f"Key version {version} did not open what it sealed.",
            not_done="The keyring is not verified.",
            advice="Report this with the versions of cryptography and OpenSSL.",
        )
