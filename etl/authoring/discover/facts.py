"""What the catalogue knows of a table, in the words of the contract."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from etl.authoring.discover.sample import SampledShape
from etl.errors import NO_ROW_READ, PlanRejected
from etl.source import SourceColumn, SourceTable
from schemas.found import FoundColumn, FoundTable
from schemas.types import ColumnType, EngineName, suggest


class ContractNotProposed(PlanRejected):
    """A table cannot have a contract without a decision that only a person can make."""


def found_table(
    source: SourceTable, engine: EngineName, key: Sequence[str] = (), looks: Mapping[str, SampledShape] | None = None
) -> FoundTable:
    """Returns a table as discovery sees it.

    Args:
        source: from the catalogue.
        engine: whose catalogue it is.
        key: the columns of the key; empty: those of the primary key, or of a unique index without NULLs.
        looks: what a sample of each column looks like.

    Raises:
        ContractNotProposed: nothing says which columns are the key, or a named one is none of the table's.
    """
    never_null = {column.name for column in source.columns if column.not_null}
    found = tuple(key) or next((names for names in source.unique if set(names) <= never_null), ())
    unknown = [name for name in key if name not in {column.name for column in source.columns}]
    if not found or unknown:
        raise ContractNotProposed(
            f"{source.name} has no column {unknown[0]}." if unknown else f"{source.name} has no key in the catalogue.",
            not_done=NO_ROW_READ,
            advice="Name the columns that identify a row with --key.",
        )
    columns = tuple(_column(column, engine, (looks or {}).get(column.name)) for column in source.columns)
    return FoundTable(source.name, columns, found, source.indexed, source.references, source.bytes, source.comment)


def contract_type(column: SourceColumn, engine: EngineName) -> ColumnType | None:
    """Returns the contract type that holds a source column exactly, or None."""
    fitting = suggest(column.type, column.precision, column.scale, engine)
    return ColumnType.parse(fitting) if fitting else None


def _column(column: SourceColumn, engine: EngineName, looks: SampledShape | None) -> FoundColumn:
    return FoundColumn(
        column.name,
        contract_type(column, engine),
        column.not_null,
        column.type in {"enum", "set"},
        column.length,
        column.comment,
        looks.mostly if looks else None,
        bool(looks and looks.sure),
        looks.note if looks else "",
    )
