"""Spark's parent of Python workers on this machine: it loads what stages once, and every worker is a fork of it."""

from __future__ import annotations

from pyspark.daemon import manager

import etl.stage.task  # noqa: F401  loaded here, a worker need not load it: the most of a second each

if __name__ == "__main__":
    manager()  # type: ignore[no-untyped-call]
