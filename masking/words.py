"""Words that people read in their own language: a text in English that may know its Japanese too."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, Literal, Self, get_args

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler, SerializationInfo
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, core_schema

Language = Literal["en", "ja"]
LANGUAGES: Final[tuple[Language, ...]] = get_args(Language)
ALL_LANGUAGES: Final = {"languages": True}
"""The context under which a model is written with every language; without it a text is written as its English."""


class Text(str):
    """A text as contracts have it: written in one language, or as `{en: …, ja: …}`.

    It is its English wherever a plain text is expected, so that a translation changes no digest.

    Attributes:
        ja: the same in Japanese; empty where the contract has one language only.
    """

    __slots__ = ("ja",)
    ja: str

    def __new__(cls, en: str = "", ja: str = "") -> Self:
        """Returns the text in English, with its Japanese."""
        text = super().__new__(cls, en)
        text.ja = ja
        return text

    def in_language(self, language: Language) -> str:
        """Returns it in a language, or as it is written where that language is missing."""
        return (self.ja if language == "ja" else "") or str(self)

    @property
    def longest(self) -> str:
        """The longer of its languages: what limits of a length are about."""
        return max(str(self), self.ja, key=len)

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:  # noqa: ANN401
        del source, handler
        written = core_schema.plain_serializer_function_ser_schema(_written, info_arg=True)
        return core_schema.no_info_plain_validator_function(_read, serialization=written)

    @classmethod
    def __get_pydantic_json_schema__(cls, core: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        del core, handler
        both = {name: {"type": "string", "minLength": 1} for name in LANGUAGES}
        languages = {"type": "object", "properties": both, "required": [*LANGUAGES], "additionalProperties": False}
        return {"anyOf": [{"type": "string"}, languages]}


def _read(raw: object) -> Text:
    if isinstance(raw, Text):
        return raw
    if isinstance(raw, str):
        return Text(raw)
    if (
        isinstance(raw, Mapping)
        and set(raw) == set(LANGUAGES)
        and all(isinstance(one, str) and one for one in raw.values())
    ):
        return Text(raw["en"], raw["ja"])
    raise ValueError("must be a text, or one in each language: {en: …, ja: …}")


def _written(text: Text, info: SerializationInfo) -> str | dict[str, str]:
    if info.context and info.context.get("languages") and text.ja:
        return {"en": str(text), "ja": text.ja}
    return str(text)
