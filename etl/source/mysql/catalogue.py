"""What MySQL's catalogue says about a table: its columns, their types, its size, its keys."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Sequence
from itertools import groupby
from typing import Final

from etl.source.catalogue import SourceColumn, SourceTable

Ask = Callable[[str, Sequence[object]], Sequence[Sequence[object]]]
"""Runs a query with parameters and returns its rows."""

_TABLE_SQL: Final = """
SELECT table_type, coalesce(data_length, 0), coalesce(table_comment, '')
FROM information_schema.tables WHERE table_schema = %s AND table_name = %s
"""
_COLUMNS_SQL: Final = """
SELECT column_name, data_type, column_type, numeric_precision, numeric_scale, is_nullable, privileges,
       character_maximum_length, column_comment, collation_name
FROM information_schema.columns WHERE table_schema = %s AND table_name = %s ORDER BY ordinal_position
"""
_INDEXES_SQL: Final = """
SELECT index_name, non_unique = 0 AND sub_part IS NULL, coalesce(column_name, '')
FROM information_schema.statistics WHERE table_schema = %s AND table_name = %s
ORDER BY index_name <> 'PRIMARY', index_name, seq_in_index
"""
_REFERENCES_SQL: Final = """
SELECT column_name, concat(referenced_table_schema, '.', referenced_table_name), referenced_column_name
FROM information_schema.key_column_usage
WHERE table_schema = %s AND table_name = %s AND referenced_table_name IS NOT NULL
ORDER BY constraint_name, ordinal_position
"""
_RELATIONS_SQL: Final = """
SELECT concat(table_schema, '.', table_name) FROM information_schema.tables
WHERE table_schema NOT IN ('information_schema', 'mysql', 'performance_schema', 'sys') ORDER BY 1
"""
_JSON_SQL: Final = """
SELECT check_clause FROM information_schema.check_constraints WHERE constraint_schema = %s AND table_name = %s
"""
_JSON_CHECK: Final = re.compile(r"json_valid\(`((?:[^`]|``)+)`\)", re.IGNORECASE)
_KINDS: Final = {"BASE TABLE": "r", "SYSTEM VERSIONED": "r", "VIEW": "v"}
_SHOWN_WHOLE: Final = frozenset({"tinyint(1)", "bit(1)"})
_BOUNDED: Final = frozenset({"char", "varchar"})
_NOT_PADDED: Final = re.compile("binary|.*_(0900|nopad)_.*")
"""Collations that tell values apart by the blanks at their end; all others do not (MySQL Reference Manual, 10.8.5)."""
_EXACT: Final = frozenset({"decimal", "bigint unsigned"})


def describe(ask: Ask, table: str, *, mariadb: bool) -> SourceTable | None:
    """Returns what the catalogue says about `schema.table`, or None where the user sees no such relation.

    Args:
        ask: runs a query on the control session.
        table: `schema.table`; a schema is a database of MySQL.
        mariadb: whether JSON columns are texts with a check, as in MariaDB.
    """
    place = table.split(".", 1)
    found = ask(_TABLE_SQL, place)
    if not found:
        return None
    kind, size, comment = found[0]
    checks = ask(_JSON_SQL, place) if mariadb else ()
    documents = {match.replace("``", "`") for (clause,) in checks for match in _JSON_CHECK.findall(str(clause))}
    indexes = [list(rows) for _, rows in groupby(ask(_INDEXES_SQL, place), key=lambda row: row[0])]
    return SourceTable(
        table,
        _KINDS.get(str(kind), "o"),
        0,
        int(str(size)),
        tuple(_column(row, documents) for row in ask(_COLUMNS_SQL, place)),
        unique=tuple(tuple(str(row[2]) for row in rows) for rows in indexes if all(row[1] for row in rows)),
        indexed=frozenset(str(rows[0][2]) for rows in indexes),
        references={str(name): (str(other), str(key)) for name, other, key in ask(_REFERENCES_SQL, place)},
        comment="" if kind == "VIEW" else str(comment),  # a view's says VIEW
    )


def relations(ask: Ask) -> tuple[str, ...]:
    """Returns every table and view that the user sees, as `schema.table`."""
    return tuple(str(name) for (name,) in ask(_RELATIONS_SQL, ()))


def key_column(table: SourceTable) -> str | None:
    """Returns the first column of the primary key, or of another unique key without NULLs; None where there is none."""
    not_null = {column.name for column in table.columns if column.not_null}
    return next((names[0] for names in table.unique if not_null.issuperset(names)), None)


def _column(row: Sequence[object], documents: Collection[str]) -> SourceColumn:
    name, data_type, column_type, precision, scale, nullable, privileges, length, comment, collation = map(_text, row)
    kind = "json" if name in documents else _kind(data_type, column_type)
    exact = kind in _EXACT
    return SourceColumn(
        name=name,
        type=kind,
        precision=int(precision) if exact and precision else None,
        scale=int(scale) if exact and scale else None,
        not_null=nullable == "NO",
        readable="select" in privileges.lower(),
        length=int(length) if length and kind in _BOUNDED else None,
        comment=comment,
        caseless="_ci" in collation.lower(),
        blanks=bool(collation) and not _NOT_PADDED.fullmatch(collation.lower()),
    )


def _kind(data_type: str, column_type: str) -> str:
    """Returns the data type, with `unsigned` or the width 1 where that changes which values it can hold."""
    spelled = column_type.lower()
    if spelled in _SHOWN_WHOLE:
        return spelled
    integer = data_type.lower().endswith("int")
    return f"{data_type.lower()} unsigned" if integer and "unsigned" in spelled else data_type.lower()


def _text(value: object) -> str:
    return "" if value is None else str(value)
