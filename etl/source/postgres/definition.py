"""What relations of PostgreSQL are at this moment, even to a session that sees a snapshot of an earlier one.

A snapshot hides changes of rows, not of tables: TRUNCATE and rewriting ALTERs are seen by everybody at once, and names
lead to whatever bears them now (PostgreSQL 15, 13.6). Queries of the catalogue see the snapshot's state of it, so what
is now is told by functions that read the server's own caches. Where both are asked, before a session joins the snapshot
and after, they must agree.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Final

from etl.source.catalogue import Definition
from etl.source.dialect import POSTGRES

GONE_RELATION: Final = frozenset({"42P01", "3F000"})
"""SQLSTATEs of a name that leads to no relation any more."""
_RULES: Final = """pg_catalog.pg_rewrite r JOIN pg_catalog.pg_depend d
      ON d.classid = 'pg_catalog.pg_rewrite'::pg_catalog.regclass AND d.objid = r.oid"""
_FIRST_OF_USERS: Final = 16384
"""The least object id that is not the server's own (`FirstNormalObjectId`)."""
_DEFINITIONS: Final = f"""
WITH RECURSIVE part (name, relation) AS (
  SELECT w.name, CASE WHEN pg_catalog.has_schema_privilege(n.oid, 'USAGE') THEN
      pg_catalog.to_regclass(w.name)::pg_catalog.oid END
  FROM (VALUES {{names}}) AS w (name, place) JOIN pg_catalog.pg_namespace n ON n.nspname = w.place
  UNION
  SELECT p.name, o.relation FROM part p CROSS JOIN LATERAL (
    SELECT t.relid::pg_catalog.oid FROM pg_catalog.pg_partition_tree(p.relation) t
    UNION ALL
    SELECT i.inhrelid FROM pg_catalog.pg_inherits i WHERE i.inhparent = p.relation
    UNION ALL
    SELECT d.refobjid FROM {_RULES}
    WHERE r.ev_class = p.relation AND d.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass
      AND (pg_catalog.pg_identify_object(1259, p.relation, 0)).type = 'view'
  ) AS o (relation)
), described AS (
  SELECT p.name, p.relation, i.type AS kind, i.schema || '.' || i.name AS called,
    pg_catalog.concat_ws(' ', p.relation, i.type, i.identity, pg_catalog.pg_relation_filenode(p.relation),
      pg_catalog.md5(pg_catalog.table_to_xmlschema(p.relation, false, false, '')::pg_catalog.text),
      (SELECT pg_catalog.string_agg(t.relid::pg_catalog.oid::pg_catalog.text, '/' ORDER BY t.relid)
       FROM pg_catalog.pg_partition_tree(p.relation) t)) AS present,
    pg_catalog.concat_ws(' ', p.relation, n.nspname, c.relname, c.relkind, c.relfilenode,
      (SELECT pg_catalog.string_agg(pg_catalog.concat_ws(' ', a.attname, a.atttypid, a.atttypmod, a.attnotnull), ','
         ORDER BY a.attnum)
       FROM pg_catalog.pg_attribute a WHERE a.attrelid = p.relation AND a.attnum > 0 AND NOT a.attisdropped),
      (SELECT pg_catalog.string_agg(pg_catalog.md5(r.ev_action::pg_catalog.text), ' ' ORDER BY r.oid)
       FROM pg_catalog.pg_rewrite r WHERE r.ev_class = p.relation),
      (SELECT pg_catalog.md5(pg_catalog.string_agg(f.prosrc, ' ' ORDER BY f.oid))
       FROM pg_catalog.pg_proc f
       WHERE f.oid >= {_FIRST_OF_USERS} AND EXISTS (
         SELECT FROM {_RULES}
         WHERE r.ev_class = p.relation AND d.refobjid >= {_FIRST_OF_USERS}
           AND d.refclassid IN ('pg_catalog.pg_proc'::pg_catalog.regclass,
             'pg_catalog.pg_operator'::pg_catalog.regclass)))) AS stored
  FROM part p
  CROSS JOIN LATERAL pg_catalog.pg_identify_object(1259, p.relation, 0) AS i
  LEFT JOIN pg_catalog.pg_class c ON c.oid = p.relation
  LEFT JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
  WHERE p.relation IS NOT NULL
)
SELECT name, pg_catalog.to_regclass(name)::pg_catalog.oid::pg_catalog.text AS identity,
  pg_catalog.md5(pg_catalog.string_agg(present, ',' ORDER BY relation)) AS digest,
  pg_catalog.md5(pg_catalog.string_agg(stored, ',' ORDER BY relation)) AS catalogue,
  coalesce(pg_catalog.string_agg(called, ' ' ORDER BY relation) FILTER (WHERE kind = 'foreign table'), '') AS away
FROM described GROUP BY name
"""
"""`present` comes from the server's caches, `stored` from the catalogue's rows, which a snapshot sees as they were.

Where a view calls a function of somebody's, all of these count: what a function calls in turn is recorded nowhere.
"""


def definitions(
    ask: Callable[[str], Sequence[Sequence[object]]], tables: Sequence[str]
) -> Mapping[str, Definition | None]:
    """Returns what relations are now, by name; None where there is none.

    Args:
        ask: returns the rows of a query.
        tables: each as `schema.table`.
    """
    if not tables:
        return {}
    found = {str(name): tuple(map(str, values)) for name, *values in ask(_sql(tables))}
    return {table: _definition(table, found.get(POSTGRES.quoted(table))) for table in tables}


def first_read_sql(definition: Definition) -> str:
    """Returns the query by which a slice locks what it reads, and then sees what that is: identity and digest.

    The lock is taken when the statement is parsed and stays to the end of the transaction; the rest is looked up after.
    """
    locked = f"(SELECT pg_catalog.count(*) FROM (SELECT FROM {POSTGRES.quoted(definition.table)} LIMIT 0) AS locked)"
    return f"SELECT identity, digest, {locked} FROM ({present_sql(definition)}) AS now"


def present_sql(definition: Definition) -> str:
    """Returns the query for what bears the relation's name now: its identity, and the digest of what it is."""
    return _sql([definition.table])


def lock_sql(tables: Sequence[str]) -> str:
    """Returns the statement that locks relations, and all that they read, in ACCESS SHARE mode; it reads no row.

    LOCK TABLE wants SELECT on all columns and takes no materialized view. What is only planned takes the same locks.
    """
    return "EXPLAIN (COSTS OFF) " + " UNION ALL ".join(f"SELECT 1 FROM {POSTGRES.quoted(table)}" for table in tables)


def _sql(tables: Sequence[str]) -> str:
    names = ", ".join(f"({literal(POSTGRES.quoted(table))}, {literal(table.split('.', 1)[0])})" for table in tables)
    return _DEFINITIONS.format(names=names)


def literal(text: str) -> str:
    """Returns the literal of a text."""
    doubled = text.replace("'", "''")
    return f"'{doubled}'"


def _definition(table: str, found: tuple[str, ...] | None) -> Definition | None:
    if found is None:
        return None
    identity, digest, catalogue, away = found
    return Definition(table, identity, digest, catalogue, foreign=tuple(away.split()))
