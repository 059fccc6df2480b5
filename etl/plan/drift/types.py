"""Source types against contract types."""

from __future__ import annotations

from typing import Final

from etl.source import SourceColumn
from schemas.types import ColumnType, EngineName

_IN_WORDS: Final = {("postgres", "timestamp"): "timestamp without time zone"}
"""Source types whose name is that of another contract type."""


def holds(column: SourceColumn, wanted: ColumnType, engine: EngineName) -> bool:
    """Returns whether a contract type holds every value of a source column exactly."""
    if column.type not in wanted.held(engine):
        return False
    if wanted.name != "numeric" or column.precision is None or column.scale is None:
        return True
    return column.scale <= wanted.scale and column.precision - column.scale <= wanted.precision - wanted.scale


def spelled(column: SourceColumn, engine: EngineName) -> str:
    """Returns a source type with its precision, in words where a contract type of that name is another."""
    if column.precision is not None:
        return f"numeric({column.precision},{column.scale})"
    return _IN_WORDS.get((engine, column.type), column.type)
