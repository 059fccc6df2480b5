"""Facts as JSON: the same values as on the site, in the names of their fields, and sentences by their keys."""

from __future__ import annotations

import json
from dataclasses import fields, is_dataclass
from datetime import date
from enum import Enum
from typing import Any

from pydantic import BaseModel

from schemas.words import ALL_LANGUAGES, Text


def as_json(facts: object, indent: int | None = 2) -> str:
    """Returns facts as JSON; contracts as they are written, with every language."""
    return json.dumps(plain(facts), ensure_ascii=False, indent=indent)


def plain(value: Any) -> Any:  # noqa: ANN401  facts in, JSON out
    """Returns facts as dicts, lists, texts and numbers."""
    if isinstance(value, BaseModel):
        return value.model_dump(mode="json", by_alias=True, context=ALL_LANGUAGES, exclude_unset=True)
    if is_dataclass(value) and not isinstance(value, type):
        return {one.name: plain(getattr(value, one.name)) for one in fields(value)}
    if isinstance(value, Text):
        return {"en": str(value), "ja": value.ja} if value.ja else str(value)
    if isinstance(value, dict):
        return {str(key): plain(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [plain(one) for one in value]
    return value.isoformat() if isinstance(value, date) else value.value if isinstance(value, Enum) else value
