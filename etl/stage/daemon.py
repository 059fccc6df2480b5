"""Spark's parent of Python workers on this machine: it loads what stages once, and every worker is a fork of it."""

from __future__ import annotations

import gc

gc.disable()  # hardly an object of a module is unreachable, so nothing is searched while they load

from pyspark.daemon import manager  # noqa: E402  see above

import etl.stage.task  # noqa: E402, F401  loaded here, a worker need not load it: the most of a second each

gc.freeze()
gc.enable()

if __name__ == "__main__":
    manager()  # type: ignore[no-untyped-call]
