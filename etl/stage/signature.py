"""The signature of a stage: what a run staged is signed under the keyring, so that nobody else can make one.

An HMAC-SHA-256 over everything that a manifest says: files, totals, window, day. Who may write the staging bucket, but
not use the keyring, can neither make a manifest nor change one, and one of another run or table is worth nothing.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Mapping
from typing import Any, Final

from masking.errors import KeyUnusable
from masking.keyring import Keyring

_USE: Final = ("stage.manifests", "hmac_sha256", 32)
"""Domain, algorithm and length of the signing key; no contract's domain can have a point in its name."""

Content = Mapping[str, Any]  # Any: JSON


def signed(content: Content, keys: Keyring) -> dict[str, Any]:
    """Returns the content as JSON has it, with the key version and the signature."""
    plain = {**json.loads(json.dumps(content, default=str)), "key_version": keys.primary}
    return {**plain, "signature": _signature(plain, keys, keys.primary)}


def signature_holds(content: Content, keys: Keyring) -> bool:
    """Tells whether content that was read back is what was signed, under a key version that still can be read."""
    version, signature = content.get("key_version"), content.get("signature")
    if not isinstance(version, int) or not isinstance(signature, str) or not signature.isascii():
        return False
    try:
        wanted = _signature(content, keys, version)
    except KeyUnusable:
        return False
    return hmac.compare_digest(signature, wanted)


def _signature(content: Content, keys: Keyring, version: int) -> str:
    meaning = json.dumps({**content, "signature": ""}, sort_keys=True, ensure_ascii=False)
    key = keys.subkey_for_reading(*_USE, version=version)
    return hmac.new(key, meaning.encode(errors="surrogatepass"), hashlib.sha256).hexdigest()
