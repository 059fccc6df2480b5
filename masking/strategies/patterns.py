"""Pieces of regular expressions that RE2 and Java read alike."""

from __future__ import annotations

_SPECIAL = frozenset("\\.+*?()|[]{}^$-/&~# ")


def literally(text: str) -> str:
    """Returns a pattern that matches exactly this text; special characters stand in a class of one."""
    return "".join(_one(character) for character in text)


def _one(character: str) -> str:
    if character in "\\^[]":
        return f"\\{character}"
    return f"[{character}]" if character in _SPECIAL else character


def one_of(texts: tuple[str, ...]) -> str:
    """Returns a pattern of exactly one of these texts."""
    return f"^(?:{'|'.join(literally(text) for text in texts)})$"
