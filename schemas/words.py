"""Words that people read in their own language, as contracts have them; masks have them too, so they live there."""

from __future__ import annotations

from masking.words import ALL_LANGUAGES, LANGUAGES, Language, Text

__all__ = ["ALL_LANGUAGES", "LANGUAGES", "Language", "Text"]
