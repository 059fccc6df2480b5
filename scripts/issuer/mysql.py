"""Copies the made-up issuer from PostgreSQL to MySQL or MariaDB: equal rows, every type by a written mapping.

A schema becomes a database. Keys and indexes come along, references do not: the rows were proven where they come from.
"""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final
from urllib.parse import unquote, urlsplit

import psycopg
import pymysql

from scripts.issuer.database import READER, SCHEMAS, SynthRefused, connect

MARKER: Final = "synth"
"""The database that says that this program made the others."""

# PostgreSQL's type → MySQL's, how PostgreSQL's COPY writes the value, and how LOAD DATA takes it; {} is the column.
_TYPES: Final = {
    "bigint": ("BIGINT", "{}", "{}"),
    "integer": ("INT", "{}", "{}"),
    "smallint": ("SMALLINT", "{}", "{}"),
    "boolean": ("TINYINT(1)", "{}::int", "{}"),
    "real": ("FLOAT", "{}", "{}"),
    "double precision": ("DOUBLE", "{}", "{}"),
    "numeric": ("DECIMAL{args}", "{}", "{}"),
    "text": ("LONGTEXT", "{}", "{}"),
    "character varying": ("VARCHAR{args}", "{}", "{}"),
    "character": ("CHAR{args}", "{}", "{}"),
    "uuid": ("CHAR(36)", "{}", "{}"),
    "inet": ("VARCHAR(43)", "{}::text", "{}"),
    "jsonb": ("JSON", "{}", "{}"),
    "bytea": ("LONGBLOB", "encode({}, 'hex')", "unhex({})"),
    "date": ("DATE", "{}", "{}"),
    "timestamp with time zone": ("TIMESTAMP(6)", "to_char({} AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS.US')", "{}"),
}
_COLUMNS_SQL: Final = """
SELECT a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull,
       (SELECT array_agg(e.enumlabel ORDER BY e.enumsortorder) FROM pg_enum e WHERE e.enumtypid = a.atttypid)
FROM pg_attribute a WHERE a.attrelid = %s::regclass AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum
"""
_INDEXES_SQL: Final = """
SELECT i.indisprimary, i.indisunique,
       (SELECT array_agg(a.attname ORDER BY k.n) FROM unnest(i.indkey::int2[]) WITH ORDINALITY AS k (attnum, n)
        JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.attnum)
FROM pg_index i WHERE i.indrelid = %s::regclass ORDER BY i.indisprimary DESC, i.indexrelid
"""
_PREFIX: Final = 64  # MySQL indexes text by a prefix


@dataclass(frozen=True)
class _Column:
    name: str
    mysql: str
    written: str
    taken: str
    not_null: bool


def copy(url: str, to: str, password: str) -> dict[str, int]:
    """Replaces the made-up issuer of a MySQL server by a copy of the one in PostgreSQL.

    Args:
        url: libpq URL of the primary.
        to: mysql://owner@host:port/database, without a password.
        password: where the owner's password is: `file:PATH` or `env:NAME`.

    Returns:
        the number of rows by table, `schema.table`.

    Raises:
        SynthRefused: the server holds databases of these names that this program did not make, does not let us in, or
            changed a value on the way; or a column has a type without a mapping.
    """
    with connect(url) as source, _opened(to, password) as target, TemporaryDirectory() as folder:
        source.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        _clear(target)
        listed = "SELECT schemaname, tablename FROM pg_tables WHERE schemaname = ANY(%s) ORDER BY 1, 2"
        names = [f"{schema}.{table}" for schema, table in source.execute(listed, [list(SCHEMAS)]).fetchall()]
        if not names:
            raise SynthRefused("There is no made-up issuer in this database. Run `create` first.")
        rows = {name: _copy_table(source, target, name, Path(folder) / name) for name in names}
        _grant(target)
        return rows


def column_type(postgres: str, labels: Sequence[str] | None = None) -> tuple[str, str, str]:
    """Returns the MySQL type of a PostgreSQL type, how the value is written, and how it is taken.

    Args:
        postgres: as `format_type` spells it.
        labels: of an enum.

    Raises:
        SynthRefused: the type has no mapping.
    """
    if labels:
        return f"ENUM({', '.join(_text(label) for label in labels)})", "{}", "{}"
    arguments = "".join(re.findall(r"\([\d,]+\)", postgres))
    found = _TYPES.get(re.sub(r"\([\d,]+\)", "", postgres))
    if found is None:
        raise SynthRefused(f"The type {postgres} has no mapping to MySQL.")
    return found[0].format(args=arguments), *found[1:]


def _copy_table(
    source: psycopg.Connection, target: pymysql.Connection[pymysql.cursors.Cursor], name: str, file: Path
) -> int:
    columns = [
        _Column(column, *column_type(kind, labels), not_null)
        for column, kind, not_null, labels in source.execute(_COLUMNS_SQL, [name]).fetchall()
    ]
    written = ", ".join(column.written.format(f'"{column.name}"') for column in columns)
    with (
        file.open("wb") as out,
        source.cursor().copy(f"COPY (SELECT {written} FROM {name}) TO STDOUT".encode()) as rows,
    ):
        for block in rows:
            if b"\\f" in block or b"\\v" in block:
                raise SynthRefused(f"{name} holds form feeds, which MySQL's LOAD DATA reads as letters.")
            out.write(block)
    variables = ", ".join(f"@c{number}" for number in range(len(columns)))
    taken = ", ".join(f"{_quoted(one.name)} = {one.taken.format(f'@c{number}')}" for number, one in enumerate(columns))
    with target.cursor() as cursor:
        cursor.execute(_table_sql(source, name, columns))
        cursor.execute(
            f"LOAD DATA LOCAL INFILE {_text(str(file))} INTO TABLE {_quoted(name)}"
            f" CHARACTER SET utf8mb4 ({variables}) SET {taken}"
        )
        loaded = int(cursor.rowcount)
        cursor.execute("SHOW COUNT(*) WARNINGS")
        if cursor.fetchone() != (0,):  # LOCAL makes warnings of errors
            raise SynthRefused(f"MySQL changed values of {name} while it loaded them.")
        cursor.execute(f"ANALYZE TABLE {_quoted(name)}")
    file.unlink()
    return loaded


def _table_sql(source: psycopg.Connection, name: str, columns: Sequence[_Column]) -> str:
    lines = [f"{_quoted(one.name)} {one.mysql} {'NOT NULL' if one.not_null else 'NULL'}" for one in columns]
    long = {one.name for one in columns if one.mysql == "LONGTEXT"}
    for primary, unique, names in source.execute(_INDEXES_SQL, [name]).fetchall():
        listed = ", ".join(f"{_quoted(one)}({_PREFIX})" if one in long else _quoted(one) for one in names)
        kind = "PRIMARY KEY" if primary else "UNIQUE KEY" if unique and not long & set(names) else "KEY"
        lines.append(f"{kind} ({listed})")
    return (
        f"CREATE TABLE {_quoted(name)} ({', '.join(lines)}) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin"
    )


def _clear(target: pymysql.Connection[pymysql.cursors.Cursor]) -> None:
    with target.cursor() as cursor:
        cursor.execute("SHOW DATABASES")
        present = {str(name) for (name,) in cursor.fetchall()} & {*SCHEMAS, MARKER}
        if present and MARKER not in present:
            raise SynthRefused("The server holds databases that this program did not make. Give another server.")
        cursor.execute(f"CREATE DATABASE IF NOT EXISTS {MARKER}")
        for name in SCHEMAS:
            cursor.execute(f"DROP DATABASE IF EXISTS {name}")
            cursor.execute(f"CREATE DATABASE {name} CHARACTER SET utf8mb4 COLLATE utf8mb4_bin")


def _grant(target: pymysql.Connection[pymysql.cursors.Cursor]) -> None:
    with target.cursor() as cursor:
        cursor.execute("SELECT host FROM mysql.user WHERE user = %s", (READER,))
        for (host,) in cursor.fetchall():
            for name in SCHEMAS:
                cursor.execute(f"GRANT SELECT ON {name}.* TO {_text(READER)}@{_text(str(host))}")


def _opened(to: str, password: str) -> pymysql.Connection[pymysql.cursors.Cursor]:
    parts = urlsplit(to)
    kind, _, name = password.partition(":")
    secret = os.environ.get(name, "") if kind == "env" else Path(name).read_text(encoding="utf-8").strip()
    with suppress(pymysql.Error, OSError):
        return pymysql.connect(
            host=parts.hostname,
            port=parts.port or 3306,
            user=unquote(parts.username or ""),
            password=secret,
            charset="utf8mb4",
            local_infile=True,
            autocommit=True,
            init_command="SET SESSION time_zone = '+00:00', sql_mode = 'STRICT_ALL_TABLES', unique_checks = 0",
        )
    raise SynthRefused(
        "MySQL cannot be reached as its owner. Start it with `kagemusha local up --mysql`, or check --to."
    )


def _quoted(name: str) -> str:
    return ".".join(f"`{part}`" for part in name.split("."))


def _text(value: str) -> str:
    return "'" + value.replace("\\", "\\\\").replace("'", "''") + "'"
