"""What the source database says about a table: its columns, their types, its size."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import psycopg

from etl.source.dialect import POSTGRES

COLUMNS_SQL: Final = """
SELECT a.attname,
       CASE WHEN b.typtype = 'e' THEN 'enum' ELSE b.typname END,
       CASE WHEN b.typname = 'numeric' AND a.atttypmod > 0 THEN (a.atttypmod - 4) >> 16 & 65535 END,
       CASE WHEN b.typname = 'numeric' AND a.atttypmod > 0 THEN (((a.atttypmod - 4) & 2047) # 1024) - 1024 END,
       a.attnotnull,
       has_column_privilege(a.attrelid, a.attnum, 'SELECT')
FROM pg_attribute a
JOIN pg_type t ON t.oid = a.atttypid
JOIN pg_type b ON b.oid = CASE WHEN t.typtype = 'd' THEN t.typbasetype ELSE t.oid END
WHERE a.attrelid = to_regclass(%s) AND a.attnum > 0 AND NOT a.attisdropped
ORDER BY a.attnum
"""
RELATION_SQL: Final = """
SELECT relkind::text, max(pages), sum(pages) * current_setting('block_size')::int8
FROM pg_class,
LATERAL (
    SELECT pg_relation_size(oid) / current_setting('block_size')::int8 AS pages WHERE relkind <> 'p'
    UNION ALL
    SELECT pg_relation_size(relid) / current_setting('block_size')::int8
    FROM pg_partition_tree(oid) WHERE isleaf AND relkind = 'p'
) AS parts
WHERE oid = to_regclass(%s)
GROUP BY relkind
"""


@dataclass(frozen=True)
class SourceColumn:
    """One column of the source's catalogue; `type` is a `pg_type.typname`, or `enum`; domains show their base type."""

    name: str
    type: str
    precision: int | None
    scale: int | None
    not_null: bool
    readable: bool


@dataclass(frozen=True)
class SourceTable:
    """One relation of the source's catalogue.

    Attributes:
        kind: `pg_class.relkind`: r table, p partitioned, v view, m materialized view …
        pages: heap pages; of a partitioned table, those of its largest leaf; 0 for views.
        bytes: heap bytes, of all leaves together.
    """

    name: str
    kind: str
    pages: int
    bytes: int
    columns: tuple[SourceColumn, ...]


def describe(connection: psycopg.Connection[tuple[object, ...]], table: str) -> SourceTable | None:
    """Gives what the catalogue says about `schema.table`, or None where there is no such relation."""
    name = POSTGRES.quoted(table)
    relation = connection.execute(RELATION_SQL, (name,)).fetchone()
    if relation is None:
        return None
    kind, pages, size = relation
    rows: Sequence[Sequence[object]] = connection.execute(COLUMNS_SQL, (name,)).fetchall()
    return SourceTable(table, str(kind), _int(pages), _int(size), tuple(_column(row) for row in rows))


def estimated_rows(connection: psycopg.Connection[tuple[object, ...]], sql: str) -> int:
    """Gives the planner's estimate of a query's rows, from its statistics; the query does not run."""
    row = connection.execute(f"EXPLAIN (FORMAT JSON) {sql}".encode()).fetchone()
    plan = row[0] if row else None
    if isinstance(plan, list) and plan and isinstance(plan[0], dict):
        return int(plan[0]["Plan"]["Plan Rows"])
    return 0


def _column(row: Sequence[object]) -> SourceColumn:
    name, kind, precision, scale, not_null, readable = row
    return SourceColumn(
        str(name),
        str(kind),
        None if precision is None else _int(precision),
        None if scale is None else _int(scale),
        bool(not_null),
        bool(readable),
    )


def _int(value: object) -> int:
    return int(str(value))
