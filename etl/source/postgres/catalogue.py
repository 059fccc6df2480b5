"""What PostgreSQL's catalogue says about a table: its columns, their types, its size, its keys."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from etl.source.catalogue import SourceColumn, SourceTable
from etl.source.postgres.connect import Connection

_HEAPS: Final = frozenset({"r", "m"})
_OF: Final = """FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = %s AND c.relname = %s"""
"""A relation by its name. `to_regclass` fails without USAGE on the schema; everybody may read the catalogue itself."""
RELATION_SQL: Final = f"""
SELECT c.oid::pg_catalog.int8, c.relkind::pg_catalog.text, pg_catalog.has_schema_privilege(n.oid, 'USAGE'),
       pg_catalog.current_setting('block_size')::pg_catalog.int8,
       coalesce(pg_catalog.obj_description(c.oid, 'pg_class'), ''),
       c.relkind IN ('r', 'p', 'm') AND pg_catalog.has_column_privilege(c.oid, 'ctid', 'SELECT'),
       CASE WHEN c.relkind <> 'p' THEN ARRAY(
           SELECT hn.nspname || '.' || h.relname
           FROM pg_catalog.pg_inherits i JOIN pg_catalog.pg_class h ON h.oid = i.inhrelid
           JOIN pg_catalog.pg_namespace hn ON hn.oid = h.relnamespace
           WHERE i.inhparent = c.oid ORDER BY 1)::pg_catalog.text[] END
{_OF}
"""
LEAVES_SQL: Final = """
SELECT p.relkind::pg_catalog.text,
       pg_catalog.pg_relation_size(p.oid) / pg_catalog.current_setting('block_size')::pg_catalog.int8
FROM pg_catalog.pg_class p
WHERE p.oid = %s AND p.relkind <> 'p'
   OR p.oid IN (SELECT relid FROM pg_catalog.pg_partition_tree(%s) WHERE isleaf) AND p.oid <> %s
"""
COLUMNS_SQL: Final = """
WITH RECURSIVE based AS (
    SELECT a.attnum, a.atttypid AS type, a.atttypmod AS typmod, a.attnotnull AS never_null
    FROM pg_catalog.pg_attribute a WHERE a.attrelid = %s AND a.attnum > 0 AND NOT a.attisdropped
    UNION ALL
    SELECT d.attnum, t.typbasetype, CASE WHEN t.typtypmod >= 0 THEN t.typtypmod ELSE d.typmod END,
           d.never_null OR t.typnotnull
    FROM based d JOIN pg_catalog.pg_type t ON t.oid = d.type WHERE t.typtype = 'd'
)
SELECT a.attname,
       CASE WHEN b.typtype = 'e' THEN 'enum' ELSE b.typname END,
       CASE WHEN b.typname = 'numeric' AND m.typmod > 0 THEN (m.typmod - 4) >> 16 & 65535 END,
       CASE WHEN b.typname = 'numeric' AND m.typmod > 0 THEN (((m.typmod - 4) & 2047) # 1024) - 1024 END,
       m.never_null,
       pg_catalog.has_column_privilege(a.attrelid, a.attnum, 'SELECT'),
       CASE WHEN b.typname IN ('varchar', 'bpchar') AND m.typmod > 0 THEN m.typmod - 4 END,
       coalesce(pg_catalog.col_description(a.attrelid, a.attnum), ''),
       EXISTS (SELECT FROM pg_catalog.pg_collation k WHERE k.oid = a.attcollation AND NOT k.collisdeterministic)
FROM pg_catalog.pg_attribute a
JOIN based m ON m.attnum = a.attnum
JOIN pg_catalog.pg_type b ON b.oid = m.type AND b.typtype <> 'd'
WHERE a.attrelid = %s
ORDER BY a.attnum
"""
"""A domain's own type, through domains over domains; a length or NOT NULL of any of them counts."""
INDEXES_SQL: Final = """
SELECT i.indisunique AND i.indexprs IS NULL,
       (SELECT pg_catalog.array_agg(coalesce(a.attname, '') ORDER BY k.place)
        FROM pg_catalog.unnest(i.indkey[0:i.indnkeyatts - 1]) WITH ORDINALITY AS k (number, place)
        LEFT JOIN pg_catalog.pg_attribute a
          ON a.attrelid = i.indrelid AND a.attnum = k.number AND k.number > 0)::pg_catalog.text[]
FROM pg_catalog.pg_index i
WHERE i.indrelid = %s AND i.indisvalid AND i.indpred IS NULL
ORDER BY NOT i.indisprimary, i.indexrelid
"""
REFERENCES_SQL: Final = """
SELECT a.attname, n.nspname || '.' || c.relname, b.attname
FROM pg_catalog.pg_constraint f
JOIN pg_catalog.pg_class c ON c.oid = f.confrelid
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
JOIN pg_catalog.pg_attribute a ON a.attrelid = f.conrelid AND a.attnum = f.conkey[1]
JOIN pg_catalog.pg_attribute b ON b.attrelid = f.confrelid AND b.attnum = f.confkey[1]
WHERE f.conrelid = %s AND f.contype = 'f' AND pg_catalog.cardinality(f.conkey) = 1
ORDER BY f.oid
"""
RELATIONS_SQL: Final = """
SELECT n.nspname || '.' || c.relname
FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f')
  AND NOT EXISTS (SELECT FROM pg_catalog.pg_inherits i WHERE i.inhrelid = c.oid)
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
    oid, kind, usable, page, comment, paged, heirs = found[0]
    leaves = ask(LEAVES_SQL, oid, oid, oid)
    pages = tuple(_int(size) for _, size in leaves)
    indexes = [(bool(unique), _names(names)) for unique, names in ask(INDEXES_SQL, oid)]
    return SourceTable(
        table,
        str(kind),
        max(pages, default=0),
        sum(pages) * _int(page),
        tuple(_column(row) for row in ask(COLUMNS_SQL, oid, oid)),
        leaves=pages if all(leaf in _HEAPS for leaf, _ in leaves) else (),
        usable=bool(usable),
        unique=tuple(names for unique, names in indexes if unique),
        indexed=frozenset(names[0] for _, names in indexes),
        references={str(name): (str(other), str(key)) for name, other, key in ask(REFERENCES_SQL, oid)},
        comment=str(comment),
        heirs=_names(heirs),
        paged=bool(paged),
    )


def relations(connection: Connection) -> tuple[str, ...]:
    """Returns every table and view as `schema.table`; partitions and tables that inherit are parts of theirs."""
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
    name, kind, precision, scale, not_null, readable, length, comment, loose = row
    return SourceColumn(
        name=str(name),
        type=str(kind),
        precision=None if precision is None else _int(precision),
        scale=None if scale is None else _int(scale),
        not_null=bool(not_null),
        readable=bool(readable),
        length=None if length is None else _int(length),
        comment=str(comment),
        caseless=kind == "citext" or bool(loose),
        blanks=kind == "bpchar",
    )


def _names(value: object) -> tuple[str, ...]:
    return tuple(str(name) for name in value) if isinstance(value, list) else ()


def _int(value: object) -> int:
    return int(str(value))
