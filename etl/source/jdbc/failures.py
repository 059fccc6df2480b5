"""What a failure of Spark's JDBC reader means, without the driver's own words."""

from __future__ import annotations

from typing import Any, Final

from py4j.protocol import Py4JError

from etl.errors import NOT_PUBLISHED, SourceUnavailable
from etl.source.catalogue import source_changed
from etl.source.guard import reader_changed
from etl.source.jdbc.postgres import NO_READER, OTHER_RELATION
from etl.source.mysql import failures as mysql
from etl.source.postgres import failures as postgres
from etl.source.postgres.definition import GONE_RELATION
from etl.source.snapshot import Snapshot
from masking.errors import KagemushaError

_NO_CONNECTION: Final = "08"
"""The class of SQLSTATE of a connection that broke (ISO/IEC 9075-2, 24.1); MariaDB's driver calls it error -1."""


def jdbc_failure(error: Py4JError, snapshot: Snapshot, place: dict[str, object]) -> KagemushaError:
    """Returns our error for a Spark job that the driver's error ended; only its number or SQLSTATE is taken over."""
    cause = _sql_cause(error)
    if cause is None:
        return SourceUnavailable("Spark's job of reading rows failed.", not_done=NOT_PUBLISHED, where=place)
    number, state = int(cause.getErrorCode()), str(cause.getSQLState() or "")
    by_mysql = snapshot.endpoint.engine == "mysql"
    if state == NO_READER or (by_mysql and number == mysql.UNKNOWN_TIME_ZONE):
        return reader_changed(place, "A connection was not on a reader.")
    if by_mysql:
        return mysql.query_failure(0 if state.startswith(_NO_CONNECTION) else number, place)
    if state in {OTHER_RELATION, *GONE_RELATION}:
        return source_changed(str(place.get("source", "")), "Another relation has its name, or it was altered", place)
    if state in postgres.GONE:
        return snapshot.lost("a slice could not join it")
    return postgres.query_failure(state, place)


def _sql_cause(error: Py4JError) -> Any:  # noqa: ANN401  a Java object
    """Returns the first SQLException among the causes of what Java threw; None where there is none."""
    cause = getattr(error, "java_exception", None)
    while cause is not None:
        if "SQL" in str(cause.getClass().getName()) and hasattr(cause, "getErrorCode"):
            return cause
        cause = cause.getCause()
    return None
