"""Spark's JDBC reader, for both engines: frames, exact types, failures, and what must not be logged."""
