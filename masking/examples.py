"""Executes the examples of the strategies, under a keyring that everybody may know."""

from __future__ import annotations

import json
from datetime import date

import pyarrow as pa

from masking.keyring import Keyring
from masking.strategies.base import Example, MaskContext, Masked, Strategy

EXAMPLE_DAY = date(2023, 8, 31)

_PUBLIC_KEYRING = {
    "format": "kagemusha-keyring-1",
    "versions": [
        {
            "version": 1,
            "state": "primary",
            "kcv": "1bf6efd7",
            "created": "2023-08-31T00:00:00Z",
            "root": "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=",
        }
    ],
}
"""The bytes 00 to 1f as root key: for examples and tests, never for data."""


def example_keyring() -> Keyring:
    """Returns the keyring under which examples are executed; its key is public."""
    return Keyring.from_json(json.dumps(_PUBLIC_KEYRING))


def executed(kind: type[Strategy], example: Example) -> Masked:
    """Returns what the strategy makes of an example's inputs; the entity of shifted dates is member 42."""
    strategy = kind.model_validate({"strategy": kind.model_fields["strategy"].default, **example.parameters})
    inputs = pa.array([given for given, _ in example.rows], example.source)
    entity = pa.array([42] * len(inputs), pa.int64())
    return strategy.mask(inputs, MaskContext(example_keyring(), EXAMPLE_DAY, {"member_id": entity}))
