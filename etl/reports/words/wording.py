"""Says facts in a language, by its catalog of words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import yaml

from etl.reports.facts.said import Said
from schemas.package_data import data_folder
from schemas.words import Language, Text


@dataclass(frozen=True)
class Wording:
    """One language.

    Attributes:
        language: en or ja.
        texts: key → text, with names of values in braces.
    """

    language: Language
    texts: Mapping[str, str]

    def text(self, key: str, /, **values: object) -> str:
        """Returns the text of a key with its values in place; whole numbers get separators, sentences are said."""
        return self.texts[key].format_map({name: self._shown(value) for name, value in values.items()})

    def say(self, one: Said) -> str:
        """Returns a sentence."""
        return self.text(one.key, **one.values)

    def _shown(self, value: object) -> str:
        if isinstance(value, Said):
            return self.say(value)
        return f"{value:,}" if isinstance(value, int) and not isinstance(value, bool) else str(value)

    def of(self, text: Text) -> str:
        """Returns a contract's text in this language, or as it is written."""
        return text.in_language(self.language)


@lru_cache
def wording(language: Language) -> Wording:
    """Returns the words of a language."""
    source = data_folder("etl.reports.words") / f"{language}.yaml"
    return Wording(language, dict(_flat("", yaml.safe_load(source.read_text(encoding="utf-8")))))


def _flat(prefix: str, node: Mapping[str, Any]) -> list[tuple[str, str]]:  # Any: YAML
    found: list[tuple[str, str]] = []
    for key, value in node.items():
        name = f"{prefix}.{key}" if prefix else str(key)
        found += _flat(name, value) if isinstance(value, Mapping) else [(name, str(value))]
    return found
