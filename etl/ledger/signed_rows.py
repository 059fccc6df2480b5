"""Signed rows of `ops.table_loads`: none counts as done, or is gone on from, that the keyring did not sign."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Final

from masking.errors import KeyUnusable
from masking.keyring import Keyring

_USE: Final = ("ledger.table_loads", "hmac_sha256", 32)
"""Domain, algorithm and length of the signing key; no contract's domain can have a point in its name."""
_LOAD: Final = (
    "run_id", "table_name", "day", "window_first", "window_last", "outcome", "rows", "basis", "fence",
    "contract_digest", "manifest_digest", "key_checks", "watermark", "source_origin", "keys_compared", "at",
)  # fmt: skip
_CHECK: Final = ("expectation", "columns", "severity", "passed", "failed", "checked", "error", "waived_by")
SIGNED: Final = (*_LOAD, "checks", "key_version", "signature")
"""The columns that a signature is about, and itself."""


def signed_row(row: Mapping[str, object], keys: Keyring) -> dict[str, object]:
    """Returns a row with the key version and the signature over what the load was, and what its audit found."""
    return {**row, "key_version": keys.primary, "signature": _signature(row, keys, keys.primary)}


def row_is_signed(row: Mapping[str, object], keys: Keyring) -> bool:
    """Tells whether a row that was read back, with the columns of `SIGNED`, is what a run signed."""
    version, signature = row["key_version"], row["signature"]
    if not isinstance(version, int) or not isinstance(signature, str) or not signature.isascii():
        return False
    try:
        wanted = _signature(row, keys, version)
    except KeyUnusable:
        return False
    return hmac.compare_digest(signature, wanted)


def _signature(row: Mapping[str, object], keys: Keyring, version: int) -> str:
    checks = row.get("checks")
    found = [[_plain(check.get(name)) for name in _CHECK] for check in checks] if isinstance(checks, list) else []
    meaning = json.dumps([[_plain(row.get(name)) for name in _LOAD], found, version], ensure_ascii=False)
    return hmac.new(keys.subkey_for_reading(*_USE, version=version), meaning.encode(), hashlib.sha256).hexdigest()


def _plain(value: object) -> object:
    """Returns a value as it is the same before and after BigQuery; NULL and an empty list are one there."""
    if value and isinstance(value, list | tuple):
        return [str(item) for item in value]
    if value and isinstance(value, Mapping):
        return json.dumps({str(key): str(item) for key, item in value.items()}, ensure_ascii=False, sort_keys=True)
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat()
    return value if isinstance(value, int) else str(value or "")
