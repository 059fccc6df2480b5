"""What the catalogue knows of a table, in the words of the contract."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

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
        heirs = f"; {', '.join(source.heirs)} inherit from it and wait for that" if source.heirs else ""
        raise ContractNotProposed(
            f"{source.name} has no column {unknown[0]}."
            if unknown
            else f"{source.name} has no key in the catalogue{heirs}.",
            not_done=NO_ROW_READ,
            advice="Name the columns that identify a row with --key; a contract by hand may say `keyless:` and why."
            + (" Tables that inherit can be proposed by their names." if source.heirs else ""),
        )
    columns = tuple(_column(column, engine, (looks or {}).get(column.name)) for column in source.columns)
    return FoundTable(
        source=source.name,
        columns=columns,
        key=found,
        indexed=source.indexed,
        references=source.references,
        bytes=source.bytes,
        comment=source.comment,
        note=_note(source),
    )


def _note(source: SourceTable) -> str:
    if not source.heirs:
        return ""
    return (
        f"Rows of {', '.join(source.heirs)} are read too, because they inherit from this table; its key does not bind "
        "them, and they need no contract of their own but for columns that this table lacks."
    )


def contract_type(column: SourceColumn, engine: EngineName) -> ColumnType | None:
    """Returns the contract type that holds a source column exactly, or None."""
    fitting = suggest(column.type, column.precision, column.scale, engine)
    return ColumnType.parse(fitting) if fitting else None


def _column(column: SourceColumn, engine: EngineName, looks: SampledShape | None) -> FoundColumn:
    return FoundColumn(
        name=column.name,
        type=contract_type(column, engine),
        not_null=column.not_null,
        enum=column.type in {"enum", "set"},
        length=column.length,
        comment=column.comment,
        seen=looks.mostly if looks else None,
        sure=bool(looks and looks.sure),
        note=looks.note if looks else "",
        blanks=column.blanks,
        caseless=column.caseless,
    )


def with_spellings(tables: Mapping[str, FoundTable]) -> dict[str, FoundTable]:
    """Returns the tables with what brings together spellings that the database takes for equal when it joins.

    A key of `char(n)`, or of most collations of MySQL, equals one without blanks at its end, and one of `citext` any
    spelling of its case: what is said of one column counts for every column that refers to it.
    """
    marks: dict[tuple[str, str], tuple[bool, bool]] = {
        (table.source, column.name): (column.blanks, column.caseless)
        for table in tables.values()
        for column in table.columns
    }
    pairs = [
        ((table.source, name), other)
        for table in tables.values()
        for name, other in table.references.items()
        if other in marks
    ]
    for _ in pairs:  # as long as the longest chain of references
        for one, other in pairs:
            both = tuple(map(any, zip(marks[one], marks[other], strict=True)))
            marks[one] = marks[other] = (both[0], both[1])
    return {name: _spelled(table, marks) for name, table in tables.items()}


def _spelled(table: FoundTable, marks: Mapping[tuple[str, str], tuple[bool, bool]]) -> FoundTable:
    columns = []
    for column in table.columns:
        blanks, caseless = marks[table.source, column.name]
        steps = tuple(step for step, wanted in (("trim", blanks), ("lower", caseless)) if wanted)
        text = column.type is not None and column.type.name == "string"
        columns.append(replace(column, normalize=steps if text else ()))
    return replace(table, columns=tuple(columns))
