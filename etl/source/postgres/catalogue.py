"""What PostgreSQL's catalogue says about a table: its columns, their types, its size, its keys."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from etl.source.catalogue import SourceColumn, SourceTable
from etl.source.postgres.connect import Connection

_HEAPS: Final = frozenset({"r", "m"})
_OF: Final = "FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = %s AND c.relname = %s"
"""A relation by its name. `to_regclass` fails without USAGE on the schema; everybody may read the catalogue itself."""
RELATION_SQL: Final = f"""
SELECT c.oid::int8, c.relkind::text, has_schema_privilege(n.oid, 'USAGE'),
       current_setting('block_size')::int8, coalesce(obj_description(c.oid, 'pg_class'), '')
{_OF}
"""
LEAVES_SQL: Final = """
SELECT p.relkind::text, pg_relation_size(p.oid) / current_setting('block_size')::int8
FROM pg_class p
WHERE p.oid = %s AND p.relkind <> 'p'
   OR p.oid IN (SELECT relid FROM pg_partition_tree(%s) WHERE isleaf) AND p.oid <> %s
"""
COLUMNS_SQL: Final = """
SELECT a.attname,
       CASE WHEN b.typtype = 'e' THEN 'enum' ELSE b.typname END,
       CASE WHEN b.typname = 'numeric' AND m.typmod > 0 THEN (m.typmod - 4) >> 16 & 65535 END,
       CASE WHEN b.typname = 'numeric' AND m.typmod > 0 THEN (((m.typmod - 4) & 2047) # 1024) - 1024 END,
       a.attnotnull OR t.typnotnull,
       has_column_privilege(a.attrelid, a.attnum, 'SELECT'),
       CASE WHEN b.typname IN ('varchar', 'bpchar') AND m.typmod > 0 THEN m.typmod - 4 END,
       coalesce(col_description(a.attrelid, a.attnum), '')
FROM pg_attribute a
JOIN pg_type t ON t.oid = a.atttypid
JOIN pg_type b ON b.oid = CASE WHEN t.typtype = 'd' THEN t.typbasetype ELSE t.oid END
CROSS JOIN LATERAL (SELECT CASE WHEN t.typtype = 'd' THEN t.typtypmod ELSE a.atttypmod END AS typmod) m
WHERE a.attrelid = %s AND a.attnum > 0 AND NOT a.attisdropped
ORDER BY a.attnum
"""
INDEXES_SQL: Final = """
SELECT i.indisunique AND i.indexprs IS NULL,
       (SELECT array_agg(coalesce(a.attname, '') ORDER BY k.place)
        FROM unnest(i.indkey[0:i.indnkeyatts - 1]) WITH ORDINALITY AS k (number, place)
        LEFT JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.number AND k.number > 0)::text[]
FROM pg_index i
WHERE i.indrelid = %s AND i.indisvalid AND i.indpred IS NULL
ORDER BY NOT i.indisprimary, i.indexrelid
"""
REFERENCES_SQL: Final = """
SELECT a.attname, n.nspname || '.' || c.relname, b.attname
FROM pg_constraint f
JOIN pg_class c ON c.oid = f.confrelid
JOIN pg_namespace n ON n.oid = c.relnamespace
JOIN pg_attribute a ON a.attrelid = f.conrelid AND a.attnum = f.conkey[1]
JOIN pg_attribute b ON b.attrelid = f.confrelid AND b.attnum = f.confkey[1]
WHERE f.conrelid = %s AND f.contype = 'f' AND cardinality(f.conkey) = 1
ORDER BY f.oid
"""
RELATIONS_SQL: Final = """
SELECT n.nspname || '.' || c.relname
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f') AND NOT c.relispartition
  AND n.nspname NOT IN ('pg_catalog', 'information_schema') AND n.nspname !~ '^pg_(toast|temp)'
ORDER BY 1
"""


def describe(connection: Connection, table: str) -> SourceTable | None:
    """Returns what the catalogue says about `schema.table`, or None where there is no such relation."""

    def ask(sql: str, *values: object) -> Sequence[Sequence[object]]:
        return connection.execute(sql.encode(), values).fetchall()

    found = ask(RELATION_SQL, *table.split(".", 1))
    if not found:
        return None
    oid, kind, usable, page, comment = found[0]
    leaves = ask(LEAVES_SQL, oid, oid, oid)
    pages = tuple(_int(size) for _, size in leaves)
    indexes = [(bool(unique), _names(names)) for unique, names in ask(INDEXES_SQL, oid)]
    return SourceTable(
        table,
        str(kind),
        max(pages, default=0),
        sum(pages) * _int(page),
        tuple(_column(row) for row in ask(COLUMNS_SQL, oid)),
        leaves=pages if all(leaf in _HEAPS for leaf, _ in leaves) else (),
        usable=bool(usable),
        unique=tuple(names for unique, names in indexes if unique),
        indexed=frozenset(names[0] for _, names in indexes),
        references={str(name): (str(other), str(key)) for name, other, key in ask(REFERENCES_SQL, oid)},
        comment=str(comment),
    )


def relations(connection: Connection) -> tuple[str, ...]:
    """Returns every table and view of the database as `schema.table`; partitions count as parts of their table."""
    return tuple(str(name) for (name,) in connection.execute(RELATIONS_SQL.encode()).fetchall())


def estimated_rows(connection: Connection, sql: str) -> int:
    """Returns the planner's estimate of a query's rows, from its statistics; the query does not run."""
    return _estimate(connection, sql, "Plan Rows")


def estimated_width(connection: Connection, sql: str) -> int:
    """Returns the planner's estimate of the bytes of a query's row, from its statistics; the query does not run."""
    return _estimate(connection, sql, "Plan Width")


def _estimate(connection: Connection, sql: str, what: str) -> int:
    row = connection.execute(f"EXPLAIN (FORMAT JSON) {sql}".encode()).fetchone()
    plan = row[0] if row else None
    if isinstance(plan, list) and plan and isinstance(plan[0], dict):
        return int(plan[0]["Plan"][what])
    return 0


def _column(row: Sequence[object]) -> SourceColumn:
    name, kind, precision, scale, not_null, readable, length, comment = row
    return SourceColumn(
        name=str(name),
        type=str(kind),
        precision=None if precision is None else _int(precision),
        scale=None if scale is None else _int(scale),
        not_null=bool(not_null),
        readable=bool(readable),
        length=None if length is None else _int(length),
        comment=str(comment),
    )


def _names(value: object) -> tuple[str, ...]:
    return tuple(str(name) for name in value) if isinstance(value, list) else ()


def _int(value: object) -> int:
    return int(str(value))
