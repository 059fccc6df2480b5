"""Rows by Spark JDBC: a frame of one slice, whose columns no driver can get wrong.

The query hands every column over as text, a whole number, a double or bytes, so neither time zones nor calendars nor
decimals of the JVM touch a value. Spark's plan shows names of tables and columns; conditions, which hold bounds of
keys, are no part of it. Every connection proves by its first statement that it is on a reader.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from pyspark.sql import DataFrame

from etl.errors import NO_ROW_READ, SettingsInvalid
from etl.source.dialect import MYSQL, POSTGRES, Dialect, ReadColumn
from etl.source.jdbc import mysql as jdbc_mysql
from etl.source.jdbc import postgres as jdbc_postgres
from etl.source.jdbc.unlogged import keep_connections_unlogged, unlogged_array, unlogged_properties
from etl.source.slice import Slice
from etl.source.snapshot import Snapshot

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

_FETCH_ROWS: Final = "10000"
_BATCH_ROWS: Final = "50000"
_SPARK_TYPES: Final = {"int64": "BIGINT", "bool": "BIGINT", "float64": "DOUBLE", "bytes": "BINARY"}  # else STRING


@dataclass(frozen=True)
class Way:
    """How one engine is reached by JDBC.

    Attributes:
        dialect: its spellings.
        drivers: classes, of which one must be on Spark's class path.
    """

    dialect: Dialect
    drivers: tuple[str, ...]


_NO_COLUMN: Final = re.compile(r"""'(?:[^']|'')*'|COLLATE "[^"]*\"""")
_WAYS: Final = {"mysql": Way(MYSQL, jdbc_mysql.DRIVERS), "postgres": Way(POSTGRES, jdbc_postgres.DRIVERS)}


def reading_session(spark: SparkSession) -> SparkSession:
    """Returns a session whose batches are as large as the masks like them."""
    keep_connections_unlogged(spark)
    own = spark.newSession()
    own.conf.set("spark.sql.execution.arrow.maxRecordsPerBatch", _BATCH_ROWS)
    own.conf.set("spark.sql.session.timeZone", "UTC")
    return own


def jdbc_frame(
    spark: SparkSession, snapshot: Snapshot, source: str, columns: Sequence[ReadColumn], part: Slice
) -> DataFrame:
    """Returns the rows of a slice as one partition; columns are named by their number.

    Raises:
        SettingsInvalid: Spark has no JDBC driver for the engine.
        CredentialsRefused, SourceUnavailable: see `login`.
    """
    engine = snapshot.endpoint.engine
    way = _WAYS[engine]
    driver = _driver(spark, way)
    names = [f"kagemusha_{number}" for number in range(len(columns))]
    spelled = [jdbc_postgres.expression(one) if engine == "postgres" else MYSQL.expression(one) for one in columns]
    selected = [f"{expression} AS {name}" for expression, name in zip(spelled, names, strict=True)]
    listed = ", ".join([*selected, *named_in(part, way.dialect)])
    table = f"(SELECT {listed} FROM {way.dialect.quoted(source)}) AS kagemusha"
    types = [f"{name} {_SPARK_TYPES.get(one.type.name, 'STRING')}" for one, name in zip(columns, names, strict=True)]
    reached = jdbc_postgres.reached(snapshot) if engine == "postgres" else jdbc_mysql.reached(snapshot, driver)
    shown = {"driver": driver, "fetchsize": _FETCH_ROWS, "customSchema": ", ".join(types), **reached.properties}
    properties = unlogged_properties(spark, "password", reached.password)
    for name, value in shown.items():
        properties.setProperty(name, value)
    predicates = unlogged_array(spark, part.where)  # it can hold keys of rows
    frame = spark.read._jreader.jdbc(reached.url, table, predicates, properties)  # noqa: SLF001  PySpark takes texts only
    return DataFrame(frame, spark).select(*names)


def named_in(part: Slice, dialect: Dialect) -> list[str]:
    """Returns the columns, in quotes, that a slice's condition names: Spark's query must have them as they are."""
    rest, mark = _NO_COLUMN.sub("", part.where), dialect.quote
    named = re.findall(f"{mark}(?:[^{mark}]|{mark}{mark})+{mark}", rest)
    return sorted({*named, *([dialect.quoted(part.by)] if part.by else [])})


def _driver(spark: SparkSession, way: Way) -> str:
    jvm = spark._jvm  # noqa: SLF001  the only way to ask the class path
    for name in way.drivers:
        if jvm is not None and jvm.org.apache.spark.util.Utils.classIsLoadable(name):
            return name
    raise SettingsInvalid(
        f"Spark has no JDBC driver for {way.dialect.name}.",
        not_done=NO_ROW_READ,
        advice="Give spark-submit --jars with one (Debian: libmariadb-java, libpostgresql-jdbc-java).",
        where={"drivers": ", ".join(way.drivers)},
    )
