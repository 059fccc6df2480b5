"""Spark's JDBC reader, for both engines: frames, exact text, failures, and what must not be logged."""
