"""Source types against contract types."""

from __future__ import annotations

from etl.source import SourceColumn
from schemas.types import ColumnType, EngineName


def holds(column: SourceColumn, wanted: ColumnType, engine: EngineName) -> bool:
    """Returns whether a contract type holds every value of a source column exactly."""
    if column.type not in wanted.held(engine):
        return False
    if wanted.name != "numeric" or column.precision is None or column.scale is None:
        return True
    return column.scale <= wanted.scale and column.precision - column.scale <= wanted.precision - wanted.scale


def spelled(column: SourceColumn) -> str:
    """Returns a source type with its precision."""
    return f"numeric({column.precision},{column.scale})" if column.precision is not None else column.type
