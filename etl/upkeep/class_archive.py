"""Spark's classes in one file, so that a local session starts in half the time.

A JVM that starts reads and checks some ten thousand classes from Spark's jars. Java can keep them, checked and laid out
(class-data sharing, JEP 350, Java 13), and takes them from there at the next start.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, ClassVar, Final

from etl.errors import TRANSIENT
from etl.spark import CLASS_ARCHIVE, recording_session, session_for
from masking.errors import KagemushaError

if TYPE_CHECKING:
    from pyarrow import RecordBatch
    from pyspark.sql import SparkSession

SECONDS: Final = 300
_QUESTIONS: Final = (
    "SELECT count(*), min(id), max(id), count(DISTINCT id), sum(CASE WHEN text RLIKE '^1' THEN 1 ELSE 0 END) FROM warm",
    "SELECT id, count(*) OVER (PARTITION BY id) FROM warm LIMIT 3",
    "SELECT one.id FROM warm one LEFT ANTI JOIN warm other ON one.id = other.id + 1",
)


class NotArchived(KagemushaError):
    """Java ended without leaving an archive of Spark's classes."""

    advice = "Use Java 17, see that the folder can be written, and try again. Runs work without, and start more slowly."
    exit_code: ClassVar[int] = TRANSIENT


def make_class_archive() -> Path:
    """Writes Spark's classes to CLASS_ARCHIVE, which later local sessions use; about 15 seconds, 150 MB.

    A session in a process of its own does a little of what runs do. What it leaves takes the place of an older archive
    in one step, as a JVM that meets half an archive dies.

    Raises:
        NotArchived: Java left none, or the folder cannot be written. Nothing was changed.
    """
    fresh = CLASS_ARCHIVE.with_name(f".{CLASS_ARCHIVE.name}.{os.getpid()}")
    try:
        CLASS_ARCHIVE.parent.mkdir(parents=True, exist_ok=True)
        _recorded(fresh)
        fresh.replace(CLASS_ARCHIVE)
    except (OSError, subprocess.TimeoutExpired):
        made = False
    else:
        made = True
    finally:
        fresh.unlink(missing_ok=True)
    if not made:
        raise NotArchived(
            "No archive of Spark's classes was made.",
            not_done="Nothing was changed.",
            where={"file": CLASS_ARCHIVE, "python": sys.executable},
        )
    return CLASS_ARCHIVE


def _recorded(archive: Path) -> None:
    """Lets a process of its own write the archive; what that process and Java print is of no interest."""
    command = [sys.executable, "-m", "etl.upkeep.class_archive", str(archive)]
    quiet = subprocess.DEVNULL
    subprocess.run(command, check=False, timeout=SECONDS, stdin=quiet, stdout=quiet, stderr=quiet)  # noqa: S603  our own


def record(archive: Path) -> None:
    """Uses Spark as a run does, ends it, and waits until its JVM has written the archive."""
    spark = recording_session(archive)
    java = spark.sparkContext._gateway.proc  # type: ignore[union-attr]  # noqa: SLF001  no other way to wait for it
    with TemporaryDirectory() as folder:
        for rows in (1, sys.maxsize):
            _use(session_for(spark, rows), f"{folder}/{rows}")
    spark.stop()
    java.stdin.close()  # the JVM's sign to end
    java.wait()


def _use(spark: SparkSession, folder: str) -> None:
    spark.range(100).mapInArrow(_same, "id long").selectExpr("id", "string(id) text").write.parquet(folder)
    spark.read.parquet(folder).createOrReplaceTempView("warm")
    for question in _QUESTIONS:
        spark.sql(question).collect()


def _same(batches: Iterable[RecordBatch]) -> Iterable[RecordBatch]:
    yield from batches


if __name__ == "__main__":
    record(Path(sys.argv[1]))
