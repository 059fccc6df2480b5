"""Plants canaries in every table of the issuer: contracts say what the columns are, nothing here names a table."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Any, Final, LiteralString

import psycopg
from psycopg import sql

from etl.audit.table_checks import table_suite
from expectations.suite import BUNDLED as SUITES
from schemas.contract import Contract
from tests.etl.canaries.canaries import Canaries

_CATALOGUE: Final = """
SELECT a.attname, format_type(a.atttypid, a.atttypmod),
       CASE WHEN a.atttypmod > 4 AND b.typname IN ('varchar', 'bpchar') THEN a.atttypmod - 4 END,
       a.attidentity <> '',
       EXISTS (SELECT FROM pg_index i WHERE i.indrelid = a.attrelid AND i.indisunique
          AND i.indnkeyatts = 1 AND i.indkey[0] = a.attnum),
       (SELECT c.confrelid::regclass::text FROM pg_constraint c WHERE c.conrelid = a.attrelid AND c.contype = 'f'
          AND c.conkey = ARRAY[a.attnum]),
       (SELECT f.attname FROM pg_constraint c
          JOIN pg_attribute f ON f.attrelid = c.confrelid AND f.attnum = c.confkey[1]
          WHERE c.conrelid = a.attrelid AND c.contype = 'f' AND c.conkey = ARRAY[a.attnum])
FROM pg_attribute a JOIN pg_type b ON b.oid = a.atttypid
WHERE a.attrelid = %s::regclass AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum
"""


@dataclass(frozen=True)
class _SourceColumn:
    name: str
    type: LiteralString
    length: int | None
    identity: bool
    unique: bool
    references: str | None
    referenced: str | None


def plant(
    connection: psycopg.Connection[tuple[Any, ...]], contracts: Iterable[Contract], canaries: Canaries, day: date
) -> dict[str, int]:
    """Plants canaries in every sensitive column of every table and gives the number of rows it added to each.

    A planted row is a copy of a row of the business day or the two before it, with canaries in it, a key of its own,
    and names of its own where the table's suite wants them unique.
    """
    return {contract.table: _plant(connection, contract, canaries, day) for contract in contracts}


def _plant(connection: psycopg.Connection[tuple[Any, ...]], contract: Contract, canaries: Canaries, day: date) -> int:
    found = [_SourceColumn(*row) for row in connection.execute(_CATALOGUE, (contract.source,))]
    columns = [column for column in found if not (column.identity and column.type == "integer")]
    values = {column.name: _values(contract, column, canaries) for column in columns if not column.references}
    rows = max(map(len, values.values()))
    for column in columns:
        while column.unique and column.name in values and len(values[column.name]) < rows:
            values[column.name] += _values(contract, column, canaries)
    values |= {name: [f"Q{number}" for number in range(rows)] for name in _named_once(contract)}
    for number in range(rows):
        chosen = {name: made[number % len(made)] for name, made in values.items() if made}
        expressions, parameters = zip(*(_expression(contract, column, chosen) for column in columns), strict=True)
        statement = sql.SQL(
            "INSERT INTO {table} ({names}) SELECT {values} FROM {table} t WHERE {recent} LIMIT 1"
        ).format(
            table=_identifier(contract.source),
            names=sql.SQL(", ").join(sql.Identifier(column.name) for column in columns),
            values=sql.SQL(", ").join(expressions),
            recent=_recent(contract, day),
        )
        added = connection.execute(statement, [one for some in parameters for one in some]).rowcount
        assert added == 1, f"{contract.table} has no row to copy"
    return rows


def _values(contract: Contract, column: _SourceColumn, canaries: Canaries) -> list[Any]:
    """Keys that are numbers or UUIDs are canaries too: their tokens leave, they do not."""
    if column.unique and column.type == "uuid":
        return [canaries.uuid()]
    if column.unique and column.type == "bigint":
        return [canaries.identifier()]
    return canaries.for_column(contract.columns[column.name], column.length)


def _expression(contract: Contract, column: _SourceColumn, chosen: dict[str, Any]) -> tuple[sql.Composable, list[Any]]:
    """Returns what stands in a column of a planted row, and its parameter: a canary, or what the copied row has."""
    own = sql.Identifier("t", column.name)
    if column.references and column.unique:  # each row needs a partner that none has yet
        free = sql.SQL(
            "(SELECT r.{key} FROM {other} r WHERE NOT EXISTS (SELECT FROM {table} u WHERE u.{name} = r.{key}) LIMIT 1)"
        )
        names = {"key": sql.Identifier(str(column.referenced)), "other": _identifier(column.references)}
        return free.format(**names, table=_identifier(contract.source), name=sql.Identifier(column.name)), []
    if column.name not in chosen:
        return own, []
    value = chosen[column.name]
    if isinstance(value, dict):
        merged = sql.SQL("coalesce({own}::jsonb, '{{}}') || %s::jsonb").format(own=own)
        return merged, [json.dumps(value, ensure_ascii=False)]
    return sql.SQL("%s::{kind}").format(kind=sql.SQL(column.type)), [value]


def _recent(contract: Contract, day: date) -> sql.Composable:
    if contract.window_column is None:
        return sql.SQL("TRUE")
    column = sql.Identifier("t", contract.window_column)
    zone = sql.SQL("" if contract.columns[contract.window_column].type.name == "date" else " AT TIME ZONE 'Asia/Tokyo'")
    return sql.SQL("({column}{zone})::date BETWEEN {day}::date - 2 AND {day}").format(
        column=column, zone=zone, day=sql.Literal(day)
    )


def _named_once(contract: Contract) -> set[str]:
    """Returns the kept texts that the table's suite wants unique."""
    checks = table_suite(contract, SUITES).checks
    wanted = {
        column for check in checks if check.expect == "expect_column_values_to_be_unique" for column in check.columns
    }
    kept = {name for name, column in contract.columns.items() if column.kept and column.type.name == "string"}
    return wanted & kept


def _identifier(name: str) -> sql.Identifier:
    return sql.Identifier(*name.split("."))
