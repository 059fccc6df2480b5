"""What a failure of Spark's JDBC reader means, told without its own words."""

from __future__ import annotations

from typing import Any

from py4j.protocol import Py4JError

from etl.errors import NOT_PUBLISHED, SourceUnavailable
from etl.source.jdbc.postgres import NO_READER
from etl.source.mysql.connect import failure_of
from etl.source.mysql.guard import UNKNOWN_TIME_ZONE, changed
from etl.source.postgres.read import query_failure
from etl.source.postgres.snapshot import GONE
from etl.source.snapshot import Snapshot
from masking.errors import KagemushaError


def jdbc_failure(error: Py4JError, snapshot: Snapshot, place: dict[str, object]) -> KagemushaError:
    """Returns our error for a job that ended with the driver's: only its error number or SQLSTATE is taken over."""
    cause = _sql_cause(error)
    if cause is None:
        return SourceUnavailable("Spark's job of reading rows failed.", not_done=NOT_PUBLISHED, where=place)
    number, state = int(cause.getErrorCode()), str(cause.getSQLState() or "")
    if state == NO_READER or (snapshot.endpoint.engine == "mysql" and number == UNKNOWN_TIME_ZONE):
        return changed(place, "A connection was not on a reader.")
    if snapshot.endpoint.engine == "mysql":
        return failure_of(number, place)
    if state in GONE:
        return snapshot.lost("a slice could not join it")
    return query_failure(state, place)


def _sql_cause(error: Py4JError) -> Any:  # noqa: ANN401  a Java object
    cause = getattr(error, "java_exception", None)
    while cause is not None:
        if "SQL" in str(cause.getClass().getName()) and hasattr(cause, "getErrorCode"):
            return cause
        cause = cause.getCause()
    return None
