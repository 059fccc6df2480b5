"""What every part of a contract shares: it is frozen, strict about its keys, and never repeats a value in an error."""

from __future__ import annotations

import re
from contextlib import suppress
from typing import Annotated, Final

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    PlainSerializer,
    StringConstraints,
    WithJsonSchema,
)

from schemas.errors import TypeUnsupported
from schemas.types import ColumnType

NAME: Final = re.compile(r"^[a-z_][a-z0-9_]{0,127}$")
Name = Annotated[str, StringConstraints(pattern=NAME.pattern)]
SourceColumnName = Annotated[str, StringConstraints(pattern=r"^[^\x00-\x1f]{1,128}$")]
"""A column's name at the source, in whatever script; only a dropped one may have a name that is no `Name`."""
SourceTableName = Annotated[str, StringConstraints(pattern=r"^[^.\x00-\x1f]{1,63}\.[^.\x00-\x1f]{1,127}$")]
QualifiedName = Annotated[str, StringConstraints(pattern=r"^[a-z_][a-z0-9_]{0,62}\.[a-z_][a-z0-9_]{0,127}$")]


class Reviewed(BaseModel):
    """A part of a reviewed file: unknown keys are forbidden, and nothing changes after it is read."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", hide_input_in_errors=True, populate_by_name=True, arbitrary_types_allowed=True
    )


def _parse_type(value: object) -> ColumnType:
    if isinstance(value, ColumnType):
        return value
    parsed = None
    with suppress(TypeUnsupported):
        parsed = ColumnType.parse(str(value))
    if parsed is None:
        raise ValueError("is not in the types table")
    return parsed


_TYPE_PATTERN = (
    r"^(string|int64|float64|bool|date|timestamp(\((Asia/Tokyo|UTC)\))?|datetime|bytes|json|"
    r"numeric\(\s*\d{1,2}\s*,\s*\d{1,2}\s*\))$"
)
TypeInYaml = Annotated[
    ColumnType,
    BeforeValidator(_parse_type),
    PlainSerializer(str, return_type=str),
    WithJsonSchema({"type": "string", "pattern": _TYPE_PATTERN, "description": "A type of the types table."}),
]
