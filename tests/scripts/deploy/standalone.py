"""A Spark standalone cluster: a master and a worker with nothing but Java, Spark and the system's own Python."""

from __future__ import annotations

import os
import re
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pyspark

SPARK = Path(pyspark.__file__).parent
BARE = {
    "PATH": "/usr/bin:/bin",
    "SPARK_HOME": str(SPARK),
    "SPARK_LOCAL_IP": "127.0.0.1",
    "SPARK_DAEMON_MEMORY": "256m",
    **({"JAVA_HOME": os.environ["JAVA_HOME"]} if "JAVA_HOME" in os.environ else {}),
}
"""No virtual environment, no path of the checkout: what a worker runs it gets from the archive."""
_PATIENCE_SECONDS = 120


@contextmanager
def standalone(folder: Path) -> Iterator[str]:
    """Yields the address of a running cluster; its processes end with the block."""
    with _daemon(folder, "master", "--host", "127.0.0.1", "--port", "0", "--webui-port", "0") as log:
        address = _said(log, r"Starting Spark master at (spark://\S+)")
        work = ["--host", "127.0.0.1", "--cores", "2", "--memory", "2g", "--webui-port", "0", "--work-dir", str(folder)]
        with _daemon(folder, "worker", *work, address) as worker:
            _said(worker, r"Successfully registered with master (\S+)")
            yield address


@contextmanager
def _daemon(folder: Path, part: str, *arguments: str) -> Iterator[Path]:
    log = folder / f"{part}.log"
    command = [str(SPARK / "bin/spark-class"), f"org.apache.spark.deploy.{part}.{part.capitalize()}", *arguments]
    with log.open("wb") as written:
        process = subprocess.Popen(command, env=BARE, cwd=folder, stdout=written, stderr=subprocess.STDOUT)  # noqa: S603  Spark's own
    try:
        yield log
    finally:
        process.terminate()
        process.wait(30)


def _said(log: Path, pattern: str) -> str:
    """Returns what a daemon's log says; it is awaited."""
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while time.monotonic() < deadline:
        found = re.search(pattern, log.read_text(encoding="utf-8"))
        if found:
            return found[1]
        time.sleep(0.1)
    raise AssertionError(log.read_text(encoding="utf-8"))
