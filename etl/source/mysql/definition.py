"""What relations of MySQL are at this moment; its slices are not one snapshot, so this is asked before and after.

MySQL has no lock that a reader could hold without holding up replication for as long. A table's own time of making
changes with every ALTER that rewrites it, and with TRUNCATE, but not in MariaDB: there only totals tell of it.
"""

from __future__ import annotations

import hashlib
from typing import Final

from etl.source.catalogue import Definition
from etl.source.mysql.catalogue import Ask

_TABLE_SQL: Final = """
SELECT t.table_type, t.engine, t.create_time, t.table_collation, v.view_definition, v.security_type
FROM information_schema.tables t
LEFT JOIN information_schema.views v ON v.table_schema = t.table_schema AND v.table_name = t.table_name
WHERE t.table_schema = %s AND t.table_name = %s
"""
_COLUMNS_SQL: Final = """
SELECT ordinal_position, column_name, column_type, is_nullable, character_set_name, collation_name, extra
FROM information_schema.columns WHERE table_schema = %s AND table_name = %s ORDER BY ordinal_position
"""
_ELSEWHERE: Final = frozenset({"FEDERATED", "CONNECT", "SPIDER"})
"""Storage engines whose rows are on other servers."""


def definitions(ask: Ask, tables: tuple[str, ...], server: str = "") -> dict[str, Definition | None]:
    """Returns what relations are now, by name; None where the user sees none.

    Args:
        ask: runs a query with parameters.
        tables: each as `schema.table`; a schema is a database of MySQL.
        server: names the server.
    """
    return {table: _definition(ask, table, server) for table in tables}


def _definition(ask: Ask, table: str, server: str) -> Definition | None:
    place = table.split(".", 1)
    found = ask(_TABLE_SQL, place)
    if not found:
        return None
    ((kind, engine, made, *rest),) = found
    content = repr([kind, engine, str(made), rest, [list(map(str, row)) for row in ask(_COLUMNS_SQL, place)]])
    foreign = (table,) if str(engine).upper() in _ELSEWHERE else ()
    return Definition(table, str(made), hashlib.sha256(content.encode()).hexdigest(), server=server, foreign=foreign)
