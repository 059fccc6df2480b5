"""Rows by Spark JDBC: a frame with one partition a slice, whose columns no driver can get wrong.

The query hands every column over as text, a whole number, a double or bytes (the types table says how), so neither time
zones nor calendars nor decimals of the JVM touch a value. Spark's plan shows names of tables and columns; conditions,
which hold bounds of keys, are no part of it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from etl.errors import NO_ROW_READ, SettingsInvalid
from etl.handoff import Slice
from etl.source.dialect import MYSQL, ReadColumn
from etl.source.mysql.guard import MySqlReader, session_sql
from etl.source.snapshot import Snapshot

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

DRIVERS: Final = ("org.mariadb.jdbc.Driver", "com.mysql.cj.jdbc.Driver")
"""What may be on Spark's class path: MariaDB's driver (as the local stack has it) or MySQL's own (as Glue has it)."""
_FETCH_ROWS: Final = "10000"
_BATCH_ROWS: Final = "50000"
_SPARK_TYPES: Final = {"int64": "BIGINT", "bool": "BIGINT", "float64": "DOUBLE", "bytes": "BINARY"}  # else STRING


def reading_session(spark: SparkSession) -> SparkSession:
    """Gives a session whose batches are as large as the masks like them."""
    own = spark.newSession()
    own.conf.set("spark.sql.execution.arrow.maxRecordsPerBatch", _BATCH_ROWS)
    own.conf.set("spark.sql.session.timeZone", "UTC")
    return own


def jdbc_frame(
    spark: SparkSession, snapshot: Snapshot, source: str, columns: Sequence[ReadColumn], slices: Sequence[Slice]
) -> DataFrame:
    """Gives the rows of slices, one partition each, in their order; columns are named by their number.

    Every connection proves by its first statement that it is on a reader.

    Raises:
        SettingsInvalid: Spark has no JDBC driver for the engine.
    """
    names = [f"kagemusha_{number}" for number in range(len(columns))]
    selected = [f"{MYSQL.expression(column)} AS {name}" for column, name in zip(columns, names, strict=True)]
    by = sorted({MYSQL.quoted(part.by) for part in slices if part.by})  # conditions name columns as they are
    table = f"(SELECT {', '.join([*selected, *by])} FROM {MYSQL.quoted(source)}) AS kagemusha"
    types = (
        f"{name} {_SPARK_TYPES.get(column.type.name, 'STRING')}" for column, name in zip(columns, names, strict=True)
    )
    frame = spark.read.jdbc(
        _url(snapshot, driver := _driver(spark)),
        table,
        predicates=[part.where for part in slices],
        properties={**_properties(snapshot), "driver": driver, "customSchema": ", ".join(types)},
    )
    return frame.select(*names)


def _properties(snapshot: Snapshot) -> dict[str, str]:
    endpoint = snapshot.endpoint
    who = endpoint.login()
    found = {
        "user": who.user,
        "password": who.password or "",
        "fetchsize": _FETCH_ROWS,
        "queryTimeout": str(endpoint.statement_seconds),
        "pushDownPredicate": "false",
    }
    if isinstance(snapshot.reader, MySqlReader):
        found["sessionInitStatement"] = session_sql(snapshot.reader, endpoint.statement_seconds)
    return found


def _url(snapshot: Snapshot, driver: str) -> str:
    endpoint, given = snapshot.endpoint, dict(snapshot.endpoint.options)
    options = {"useCursorFetch": "true", "characterEncoding": "UTF-8", "connectTimeout": "10000"}
    if not endpoint.local and driver == DRIVERS[0]:
        options |= {"useSsl": "true", "disableSslHostnameVerification": "false"}
        options |= {"serverSslCert": given["sslrootcert"]} if "sslrootcert" in given else {}
    elif not endpoint.local:
        options |= {"sslMode": "VERIFY_IDENTITY"}
        options |= {"trustCertificateKeyStoreUrl": f"file:{given['truststore']}"} if "truststore" in given else {}
    listed = "&".join(f"{name}={value}" for name, value in options.items())
    # `jdbc:mariadb:` would make Spark quote columns as strings, and a condition on a string is true.
    return f"jdbc:mysql://{endpoint.host}:{endpoint.port}/{endpoint.database}?{listed}"


def _driver(spark: SparkSession) -> str:
    jvm = spark._jvm  # noqa: SLF001  the only way to ask the class path
    for name in DRIVERS:
        if jvm is not None and jvm.org.apache.spark.util.Utils.classIsLoadable(name):
            return name
    raise SettingsInvalid(
        "Spark has no JDBC driver for MySQL.",
        not_done=NO_ROW_READ,
        advice="Give spark-submit --jars with MariaDB's or MySQL's driver (Debian: libmariadb-java).",
    )
