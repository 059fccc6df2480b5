"""Spark's JDBC reader, for both engines: frames, exact types, failures, and what must not be logged."""

from etl.source.jdbc.failures import jdbc_failure
from etl.source.jdbc.frame import jdbc_frame, reading_session
from etl.source.jdbc.text import fit_text

__all__ = [
    "fit_text",
    "jdbc_failure",
    "jdbc_frame",
    "reading_session",
]
