"""What relations of MySQL are at this moment; its slices are not one snapshot, so this is asked before and after.

MySQL has no lock that a reader could hold without holding up replication for as long. A table's own time of making
changes with every ALTER that rewrites it, and with TRUNCATE, but not in MariaDB: there only totals tell of it.
A view is what it says and all that it reads, so that too must be seen.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from typing import Final

from etl.errors import NOT_PUBLISHED, SourceForbidden
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
_FUNCTION_SQL: Final = """
SELECT created, last_altered FROM information_schema.routines WHERE routine_schema = %s AND routine_name = %s
"""
_ELSEWHERE: Final = frozenset({"FEDERATED", "CONNECT", "SPIDER"})
"""Storage engines whose rows are on other servers."""
_TEXTS: Final = re.compile(r"(`(?:[^`]|``)*`)|'(?:[^'\\]|''|\\.)*'", re.DOTALL)
_NAME: Final = r"`((?:[^`]|``)+)`\.`((?:[^`]|``)+)`"
_RELATIONS: Final = re.compile(rf"\b(?:from|join) \(*{_NAME}", re.IGNORECASE)
_FUNCTIONS: Final = re.compile(rf"{_NAME}\(")
"""How a view's own text, as MySQL rewrites it, names what it reads: always with the schema, in backquotes."""

Name = tuple[str, str]
"""A schema, which is a database of MySQL, and what is in it."""


@dataclass(frozen=True)
class _Relation:
    """What the catalogue says of one relation.

    Attributes:
        made: when; None of a view.
        content: all that must stay as it is.
        elsewhere: whether its rows are on another server.
        reads: the relations that a view reads; None where the user may not see what it says.
    """

    made: object
    content: str
    elsewhere: bool
    reads: tuple[Name, ...] | None


def definitions(ask: Ask, tables: tuple[str, ...], server: str = "") -> dict[str, Definition | None]:
    """Returns what relations are now, by name; None where the user sees none.

    Args:
        ask: runs a query with parameters.
        tables: each as `schema.table`; a schema is a database of MySQL.
        server: names the server.

    Raises:
        SourceForbidden: a view reads what the user may not see.
    """
    return {table: _definition(ask, table, server) for table in tables}


def _definition(ask: Ask, table: str, server: str) -> Definition | None:
    schema, name = table.split(".", 1)
    whole = _relation(ask, (schema, name))
    if whole is None:
        return None
    found: dict[Name, _Relation | None] = {(schema, name): whole}
    coming = list(whole.reads or ())
    while coming:
        part = coming.pop()
        if part not in found:
            found[part] = relation = _relation(ask, part)
            coming += relation.reads or () if relation else ()
    _refuse_unseen(table, [part for part, one in found.items() if one is None or one.reads is None])
    content = repr(sorted((part, one.content) for part, one in found.items() if one))
    foreign = tuple(sorted(".".join(part) for part, one in found.items() if one and one.elsewhere))
    digest = hashlib.sha256(content.encode()).hexdigest()
    return Definition(table, str(whole.made), digest, server=server, foreign=foreign)


def _relation(ask: Ask, place: Name) -> _Relation | None:
    """Returns what the catalogue says of a relation, or None where the user sees none."""
    found = ask(_TABLE_SQL, place)
    if not found:
        return None
    ((kind, engine, made, collation, text, security),) = found
    said = _TEXTS.sub(r"\1", str(text or ""))
    functions = [(one, [list(map(str, row)) for row in ask(_FUNCTION_SQL, one)]) for one in _named(_FUNCTIONS, said)]
    columns = [list(map(str, row)) for row in ask(_COLUMNS_SQL, place)]
    content = repr([kind, engine, str(made), collation, text, security, columns, functions])
    unseen = kind == "VIEW" and not (said and all(rows for _, rows in functions))
    reads = None if unseen else _named(_RELATIONS, said)
    return _Relation(made, content, str(engine).upper() in _ELSEWHERE, reads)


def _named(what: re.Pattern[str], said: str) -> tuple[Name, ...]:
    """Returns what a view's text names, once each."""
    found = {(schema.replace("``", "`"), name.replace("``", "`")) for schema, name in what.findall(said)}
    return tuple(sorted(found))


def _refuse_unseen(table: str, unseen: list[Name]) -> None:
    if unseen:
        raise SourceForbidden(
            f"The ETL user may not see what {len(unseen)} relations are that {table} is made of, "
            f"so nothing would tell when they change: {', '.join(sorted('.'.join(one) for one in unseen))}.",
            not_done=NOT_PUBLISHED,
            advice="Grant SHOW VIEW on the view, EXECUTE on its functions, and on the tables under it SELECT or, "
            "which lets nobody read them, REFERENCES; on views under it SELECT and SHOW VIEW.",
            where={"source": table},
        )
