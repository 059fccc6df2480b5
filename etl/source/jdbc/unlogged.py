"""Hands texts to Spark's JVM without Py4J, which writes all that it carries into debug logs, on both sides.

They go through a pipe: they are on no disk, and Py4J never sees a Java object that it would turn back into the text.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

_BUFFER_BYTES: Final = 1 << 20
_CONNECTIONS: Final = "org.apache.spark.sql.execution.datasources.jdbc.connection"
_CONFIGURATOR: Final = "org.apache.logging.log4j.core.config.Configurator"
_OF_EXECUTORS: Final = ("", "org.apache.spark")


def unlogged_properties(spark: SparkSession, name: str, text: str) -> Any:  # noqa: ANN401  a Java object
    """Returns `java.util.Properties` that hold one text under a name.

    Args:
        spark: the driver's session; its JVM runs on this machine.
        name: of the property, ASCII.
        text: any.
    """
    jvm: Any = spark._jvm  # noqa: SLF001  Py4J's way to Java's classes
    units = text.encode("utf-16-be")
    spelled = "".join(f"\\u{units[n]:02x}{units[n + 1]:02x}" for n in range(0, len(units), 2))
    found = jvm.java.util.Properties()
    with _reader(jvm, f"{name}={spelled}") as reader:
        found.load(reader)
    return found


def unlogged_array(spark: SparkSession, text: str) -> Any:  # noqa: ANN401  the same
    """Returns a `String[]` of one text, which must not be empty nor hold NUL."""
    jvm: Any = spark._jvm  # noqa: SLF001  the same
    writer = jvm.java.io.StringWriter()
    with _reader(jvm, text) as reader:
        reader.transferTo(writer)
    return jvm.java.util.regex.Pattern.compile("\\x00").split(writer.getBuffer())


def keep_connections_unlogged(spark: SparkSession) -> None:
    """Keeps this JVM from writing the properties of JDBC connections, the password among them, at level DEBUG.

    Executors of a cluster have a log configuration of their own; see `after_silence`.
    """
    log4j: Any = spark._jvm.org.apache.logging.log4j  # type: ignore[union-attr]  # noqa: SLF001  the same
    log4j.core.config.Configurator.setLevel(_CONNECTIONS, log4j.Level.INFO)


def keep_failures_unlogged(spark: SparkSession) -> None:
    """Ends Spark's event log, where there is one: it has the text of what ends a task, and servers quote rows there.

    Functions and casts of a view do so, by JDBC of either engine; no setting makes Spark leave the text out.
    """
    context: Any = spark._jsc.sc()  # noqa: SLF001  the only way to the listeners
    if context.eventLogger().isDefined():
        context.removeSparkListener(context.eventLogger().get())


def after_silence(spark: SparkSession, frame: DataFrame, loggers: Sequence[str] = _OF_EXECUTORS) -> DataFrame:
    """Returns a frame of one partition that an executor reads only after its own loggers are off, in the same task.

    What ends a task is logged where it ran, by a JVM that we cannot reach otherwise, with the server's text.

    Args:
        spark: its session.
        frame: rows of a database, in one partition.
        loggers: names of Log4j; the empty one is the root's.
    """
    off = ", ".join(f"reflect('{_CONFIGURATOR}', 'setLevel', '{name}', 'OFF')" for name in loggers)
    silence = (
        spark.range(0, 1, 1, 1)
        .where(f"concat({off}) = ''")
        .selectExpr(*(f"CAST(NULL AS {field.dataType.simpleString()}) AS {field.name}" for field in frame.schema))
    )
    return silence.unionAll(frame).coalesce(1)  # one task takes them in this order


@contextmanager
def _reader(jvm: Any, text: str) -> Iterator[Any]:  # noqa: ANN401  the same
    """Yields a Java reader of a text of less than 1 MiB, which a pipe's buffer holds."""
    with TemporaryDirectory() as folder:
        pipe = Path(folder) / "text"
        os.mkfifo(pipe, 0o600)
        writing = os.open(pipe, os.O_RDWR)  # neither end waits for the other
        try:
            fcntl.fcntl(writing, fcntl.F_SETPIPE_SZ, _BUFFER_BYTES)
            os.write(writing, text.encode())
            reader = jvm.java.io.InputStreamReader(jvm.java.io.FileInputStream(str(pipe)), "UTF-8")
        finally:
            os.close(writing)  # what was written is read to its end then
    try:
        yield reader
    finally:
        reader.close()
