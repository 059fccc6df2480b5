"""Rows by Spark JDBC: a frame of one slice, whose columns no driver can get wrong.

The query hands every column over as text, a whole number, a double or bytes, so that no time zone, calendar or decimal
of the JVM touches a value. Spark's plan shows names of tables and columns, but not conditions, which hold bounds of
keys. Every connection proves by its first statement that it is on a reader.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from pyspark.sql import DataFrame

from etl.errors import NO_ROW_READ, SettingsInvalid
from etl.source.catalogue import Definition
from etl.source.dialect import MYSQL, POSTGRES, Dialect, ReadColumn
from etl.source.jdbc import mysql, postgres
from etl.source.jdbc.address import JdbcAddress
from etl.source.jdbc.unlogged import (
    after_silence,
    keep_connections_unlogged,
    keep_failures_unlogged,
    unlogged_array,
    unlogged_properties,
)
from etl.source.slice import Slice
from etl.source.snapshot import Snapshot
from schemas.types import EngineName

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

_FETCH_ROWS: Final = "10000"
_BATCH_ROWS: Final = "50000"
_SPARK_TYPES: Final = {"int64": "BIGINT", "bool": "BIGINT", "float64": "DOUBLE", "bytes": "BINARY"}  # else STRING
_TEXT_OR_COLLATION: Final = re.compile(r"""'(?:[^']|'')*'|COLLATE "[^"]*\"""")
"""What is in quotes in a condition and names no column."""


@dataclass(frozen=True)
class JdbcEngine:
    """How one engine is read by JDBC.

    Attributes:
        dialect: its spellings.
        drivers: classes, of which one must be on Spark's class path.
        expression: spells a column that is selected.
        address_of: returns where a driver connects to.
    """

    dialect: Dialect
    drivers: tuple[str, ...]
    expression: Callable[[ReadColumn], str]
    address_of: Callable[[Snapshot, str, Definition | None], JdbcAddress]


_ENGINES: Final[dict[EngineName, JdbcEngine]] = {
    "mysql": JdbcEngine(MYSQL, mysql.DRIVERS, mysql.expression, mysql.address_of),
    "postgres": JdbcEngine(POSTGRES, postgres.DRIVERS, postgres.expression, postgres.address_of),
}


def reading_session(spark: SparkSession) -> SparkSession:
    """Returns a session whose batches have a size that suits the masks, and that works in UTC; no event log has it."""
    keep_connections_unlogged(spark)
    keep_failures_unlogged(spark)
    own = spark.newSession()
    own.conf.set("spark.sql.execution.arrow.maxRecordsPerBatch", _BATCH_ROWS)
    own.conf.set("spark.sql.session.timeZone", "UTC")
    return own


def jdbc_frame(
    spark: SparkSession,
    snapshot: Snapshot,
    source: str,
    columns: Sequence[ReadColumn],
    part: Slice,
    definition: Definition | None = None,
) -> DataFrame:
    """Returns the rows of a slice as one partition; columns are named by their number.

    With a definition, PostgreSQL's session locks the relation and proves that it is still the planned one.

    Raises:
        SettingsInvalid: Spark has no JDBC driver for the engine.
        CredentialsRefused, SourceUnavailable: see `login`.
    """
    engine = _ENGINES[snapshot.endpoint.engine]
    driver = _driver(spark, engine)
    names = [f"kagemusha_{number}" for number in range(len(columns))]
    selected = [f"{engine.expression(column)} AS {name}" for column, name in zip(columns, names, strict=True)]
    listed = ", ".join([*selected, *named_in(part, engine.dialect)])
    table = f"(SELECT {listed} FROM {engine.dialect.quoted(source)}) AS kagemusha"
    types = [f"{name} {_SPARK_TYPES.get(one.type.name, 'STRING')}" for one, name in zip(columns, names, strict=True)]
    address = engine.address_of(snapshot, driver, definition)
    shown = {"driver": driver, "fetchsize": _FETCH_ROWS, "customSchema": ", ".join(types), **address.properties}
    properties = unlogged_properties(spark, "password", address.password)
    for name, value in shown.items():
        properties.setProperty(name, value)
    predicates = unlogged_array(spark, part.where)  # it can hold keys of rows
    frame = spark.read._jreader.jdbc(address.url, table, predicates, properties)  # noqa: SLF001  PySpark takes texts only
    rows = DataFrame(frame, spark).select(*names)
    return rows if spark._jsc.sc().isLocal() else after_silence(spark, rows)  # noqa: SLF001  PySpark has no such question


def named_in(part: Slice, dialect: Dialect) -> list[str]:
    """Returns the columns, in quotes, that a slice's condition names: Spark's query must select them unchanged."""
    rest, mark = _TEXT_OR_COLLATION.sub("", part.where), dialect.quote
    named = re.findall(f"{mark}(?:[^{mark}]|{mark}{mark})+{mark}", rest)
    return sorted({*named, *([dialect.column(part.by)] if part.by else [])})


def _driver(spark: SparkSession, engine: JdbcEngine) -> str:
    jvm = spark._jvm  # noqa: SLF001  the only way to ask the class path
    for name in engine.drivers:
        if jvm is not None and jvm.org.apache.spark.util.Utils.classIsLoadable(name):
            return name
    raise SettingsInvalid(
        f"Spark has no JDBC driver for {engine.dialect.name}.",
        not_done=NO_ROW_READ,
        advice="Give spark-submit --jars with one (Debian: libmariadb-java, libpostgresql-jdbc-java).",
        where={"drivers": ", ".join(engine.drivers)},
    )
