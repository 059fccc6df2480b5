"""How root keys become other keys: HKDF-SHA-256 under labels that no two uses share."""

from __future__ import annotations

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

_SALT = b"kagemusha keyring 1"
_CHECK_BYTES = 4


def derive_subkey(root: bytes, domain: str, algorithm: str, version: int, length: int) -> bytes:
    """Derives the key of one use; any other domain, algorithm, version or length gets an unrelated one."""
    info = b"".join(_framed(part.encode()) for part in ("subkey", domain, algorithm, str(version), str(length)))
    return hkdf_sha256(root, _SALT, info, length)


def check_value(root: bytes) -> str:
    """Returns the KCV, 8 hexadecimal digits: derived like a subkey, so it tells nothing of any key in use."""
    return hkdf_sha256(root, _SALT, _framed(b"key check value"), _CHECK_BYTES).hex()


def hkdf_sha256(secret: bytes, salt: bytes, info: bytes, length: int) -> bytes:
    """Derives `length` key bytes from a secret (RFC 5869)."""
    return HKDF(hashes.SHA256(), length, salt, info).derive(secret)


def _framed(part: bytes) -> bytes:
    """Puts the length before a part, so that no two lists of parts read the same."""
    return len(part).to_bytes(2, "big") + part
