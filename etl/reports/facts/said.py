"""A sentence before it is in a language: the key of its words, and the values in it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Said:
    """One sentence; `wording.py` says it in a language.

    Attributes:
        key: of the sentence in the catalogs of words.
        values: names and counts that the sentence holds.
    """

    key: str
    values: Mapping[str, object] = field(default_factory=dict)


def said(key: str, /, **values: object) -> Said:
    """Returns the sentence of a key with its values."""
    return Said(key, values)
