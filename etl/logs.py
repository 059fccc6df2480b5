"""Logs that cannot quote: of what foreign code logs, warns of or dies of, only class and place are written.

Each message stays one line, so that they can be counted. What we say ourselves is printed, and goes through no logger.
"""

from __future__ import annotations

import logging
import os
import resource
import sys
import threading
import warnings
from contextlib import suppress
from functools import lru_cache
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Final, TextIO

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

_KIND: Final = r"%replace{{%ex{{short}}}}{{(?s)[:\s].*}}{{}}"
"""The class of an exception: what stands before its message."""
_PLACE: Final = "%ex{{short.className}} %ex{{short.methodName}} %ex{{short.lineNumber}}"
_JVM: Final = f"""
status = off
rootLogger.level = {{level}}
rootLogger.appenderRef.console.ref = console
appender.console.type = Console
appender.console.name = console
appender.console.target = SYSTEM_ERR
appender.console.layout.type = PatternLayout
appender.console.layout.alwaysWriteExceptions = false
appender.console.layout.pattern = %d{{{{yy/MM/dd HH:mm:ss}}}} %p %c: message withheld {_KIND} {_PLACE}%n
"""
"""A configuration of Log4j 2 (its manual, "Pattern Layout") that writes no message, of whatever logger and level."""


def withhold_messages() -> None:
    """Lets this process write no foreign message, by logging, warnings or uncaught exceptions, and no core dump.

    Keys of TLS sessions, which SSLKEYLOGFILE asks for, are not written either.
    """
    no_core_dumps()
    os.environ.pop("SSLKEYLOGFILE", None)
    logging.setLogRecordFactory(_withheld)
    warnings.showwarning = _warned
    sys.excepthook = _died
    threading.excepthook = lambda died: _died(died.exc_type, died.exc_value, died.exc_traceback)
    sys.unraisablehook = lambda died: _died(died.exc_type, died.exc_value, died.exc_traceback)


def no_core_dumps() -> None:
    """Forbids core dumps of this process and of those that it starts: memory holds keys and raw values."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


@lru_cache(maxsize=1)
def withhold_messages_of_jvm(spark: SparkSession) -> None:
    """Lets the driver's JVM, and the executors in it, write no message; the root logger keeps its level.

    Other appenders end: what the runtime kept of messages, it keeps of lines without them, from stderr.
    """
    jvm: Any = spark._jvm  # noqa: SLF001  the only way to Log4j; py4j has no types
    _no_dumps_of_jvm(jvm)
    log4j = jvm.org.apache.logging.log4j
    context = log4j.LogManager.getContext(False)  # noqa: FBT003  Java has no names for arguments
    level = str(context.getConfiguration().getRootLogger().getLevel())
    text = _JVM.format(level="ERROR" if level == "OFF" else level)
    source = log4j.core.config.ConfigurationSource(jvm.java.io.ByteArrayInputStream(text.encode()))
    factory = log4j.core.config.properties.PropertiesConfigurationFactory()
    log4j.core.config.Configurator.reconfigure(factory.getConfiguration(context, source))


def _no_dumps_of_jvm(jvm: Any) -> None:  # noqa: ANN401  the same
    """Lets the JVM, which spark-submit starts before us, write neither its memory nor what TLS carries."""
    with suppress(OSError):  # a machine may not let us
        resource.prlimit(jvm.java.lang.ProcessHandle.current().pid(), resource.RLIMIT_CORE, (0, 0))
    of_hotspot = jvm.java.lang.Class.forName("com.sun.management.HotSpotDiagnosticMXBean")
    options = jvm.java.lang.management.ManagementFactory.getPlatformMXBean(of_hotspot)
    options.setVMOption("HeapDumpOnOutOfMemoryError", "false")
    jvm.java.lang.System.clearProperty("javax.net.debug")


def _withheld(*given: Any, **named: Any) -> logging.LogRecord:  # noqa: ANN401  as logging hands it on
    """Returns a record without its message, arguments and exception; see `logging.setLogRecordFactory`."""
    record = logging.LogRecord(*given, **named)
    kind = record.exc_info[0] if record.exc_info else None
    record.msg = f"{record.levelname} {record.name} {_where(record.filename, record.lineno)}{_named(kind)}"
    record.args, record.exc_info, record.exc_text, record.stack_info = (), None, None, None
    return record


def _warned(
    message: Warning | str,
    category: type[Warning],
    filename: str,
    lineno: int,
    file: TextIO | None = None,
    line: str | None = None,
) -> None:
    """Writes a warning's class and place; see `warnings.showwarning`."""
    del message, file, line
    print(f"WARNING {_where(filename, lineno)}{_named(category)}", file=sys.stderr)  # noqa: T201  as Python itself


def _died(kind: type[BaseException], error: BaseException | None, at: TracebackType | None) -> None:
    """Writes the class and place of an exception that nobody caught; see `sys.excepthook`."""
    del error
    while at is not None and at.tb_next is not None:
        at = at.tb_next
    place = _where(at.tb_frame.f_code.co_filename, at.tb_lineno) if at else "nowhere"
    print(f"ERROR {place}{_named(kind)}", file=sys.stderr)  # noqa: T201  as Python itself


def _where(file: str, line: int) -> str:
    return f"{Path(file).name}:{line}: message withheld"


def _named(kind: type[BaseException] | None) -> str:
    return f", {kind.__name__}" if kind else ""
