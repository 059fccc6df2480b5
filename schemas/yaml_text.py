"""Spells names and texts as YAML reads them back: in quotes wherever it would read something else."""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Iterable
from typing import Final

_WORDS: Final = frozenset({"yes", "no", "on", "off", "true", "false", "null"})
"""Words that YAML 1.1 takes for something else than text, in any case."""
_PLAIN_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_PLAIN_TEXT: Final = re.compile(r"[^\W\d_][^:#,{}\[\]&*!|>'\"%@`\\]*")


def yaml_name(name: str) -> str:
    """Returns a name as YAML reads it back, as a key or in a list: `no`, `1st` and `12:30` in quotes."""
    return name if _PLAIN_NAME.fullmatch(name) and name.casefold() not in _WORDS else _quoted(name)


def yaml_names(names: Iterable[str]) -> str:
    """Returns a list of names in YAML's brackets."""
    return f"[{', '.join(map(yaml_name, names))}]"


def yaml_text(text: str, longest: int | None = None) -> str:
    """Returns a text in one line as YAML reads it back, without control characters.

    Args:
        text: any.
        longest: how many characters are left of a longer text, the last of them an ellipsis.
    """
    readable = "".join(" " if _unreadable(sign) else sign for sign in text)
    one_line = " ".join(readable.split())
    if longest is not None and len(one_line) > longest:
        one_line = one_line[: longest - 1] + "…"
    plain = _PLAIN_TEXT.fullmatch(one_line) and one_line.casefold() not in _WORDS
    return one_line if plain else _quoted(one_line)


def comment(text: str) -> str:
    """Returns a text that may stand in a comment: in one line, without control characters."""
    return " ".join("".join(" " if _unreadable(sign) else sign for sign in text).split())


def _unreadable(sign: str) -> bool:
    return unicodedata.category(sign) in {"Cc", "Cs", "Cn", "Zl", "Zp"} or sign == "\ufeff"


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)  # a JSON string is a YAML string
