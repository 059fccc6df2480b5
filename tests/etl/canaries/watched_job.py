"""Runs a command of ours as a user would, with everything that could speak set to its most talkative, and keeps it all.

Spark writes its event log, the JVM logs at DEBUG, so does every Python process; scratch files are uncompressed, and a
second name keeps each of them when Spark deletes it.
"""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[3]
_PAUSE_SECONDS: Final = 0.03
_LIMIT_SECONDS: Final = 300
_SPARK: Final = """
spark.eventLog.enabled true
spark.eventLog.dir file://{folder}/events
spark.eventLog.compress false
spark.eventLog.logBlockUpdates.enabled true
spark.local.dir {folder}/scratch
spark.shuffle.compress false
spark.shuffle.spill.compress false
spark.broadcast.compress false
spark.rdd.compress false
spark.driver.extraJavaOptions -Djava.io.tmpdir={folder}/tmp
"""
# A level set for the root logger does not reach these names.
_JVM: Final = """
rootLogger.level = debug
rootLogger.appenderRef.file.ref = file
appender.file.type = File
appender.file.name = file
appender.file.fileName = {folder}/jvm.log
appender.file.layout.type = PatternLayout
appender.file.layout.pattern = %d %p %c: %m%n%ex
logger.org.name = org
logger.org.level = debug
logger.py4j.name = py4j
logger.py4j.level = debug
"""
_PYTHON: Final = """
import logging
import os
logging.basicConfig(level=logging.DEBUG, filename=os.path.join({folder!r}, f"python-{{os.getpid()}}.log"))
"""


@dataclass(frozen=True)
class Ended:
    """How a command ended: its exit code and what it printed."""

    code: int
    out: str
    err: str


@dataclass(frozen=True)
class Job:
    """A command that ended, and the folder that holds everything it wrote."""

    ended: Ended
    folder: Path


class WatchedJob:
    """A folder in which commands run and in which everything stays that they wrote.

    Args:
        folder: it must not exist yet.
        settings: what the commands take for the installation's settings.
    """

    def __init__(self, folder: Path, settings: Path) -> None:
        self.folder = folder
        for name in ("conf", "events", "scratch", "tmp", "kept", "work"):
            (folder / name).mkdir(parents=True)
        (folder / "conf" / "spark-defaults.conf").write_text(_SPARK.format(folder=folder), encoding="utf-8")
        (folder / "conf" / "log4j2.properties").write_text(_JVM.format(folder=folder), encoding="utf-8")
        (folder / "conf" / "sitecustomize.py").write_text(_PYTHON.format(folder=str(folder)), encoding="utf-8")
        self._environment = {
            **os.environ,
            "SPARK_CONF_DIR": str(folder / "conf"),
            "SPARK_LOCAL_IP": "127.0.0.1",
            "PYSPARK_PYTHON": sys.executable,
            "PYTHONPATH": os.pathsep.join([str(folder / "conf"), str(ROOT)]),
            "TMPDIR": str(folder / "tmp"),
            "KAGEMUSHA_SETTINGS": str(settings),
        }

    def run(self, command: Sequence[str]) -> Job:
        """Runs a command to its end."""
        ended = threading.Event()
        watcher = threading.Thread(target=self._keep, args=(ended,))
        watcher.start()
        out, err = self.folder / "stdout.log", self.folder / "stderr.log"
        try:
            with out.open("wb") as printed, err.open("wb") as complained:
                done = subprocess.run(  # noqa: S603  our own commands
                    command,
                    check=False,
                    cwd=self.folder / "work",
                    env=self._environment,
                    stdout=printed,
                    stderr=complained,
                    timeout=_LIMIT_SECONDS,
                )
        finally:
            ended.set()
            watcher.join()
        told = Ended(done.returncode, out.read_text(encoding="utf-8"), err.read_text(encoding="utf-8"))
        return Job(told, self.folder)

    def _keep(self, ended: threading.Event) -> None:
        """Gives scratch files a second name: what was and is written to a file stays readable when it is deleted."""
        seen: set[int] = set()
        while not ended.wait(_PAUSE_SECONDS):
            for place in ("scratch", "tmp"):
                for folder, _, names in os.walk(self.folder / place):  # unlike rglob, it passes over what is just gone
                    for name in names:
                        self._keep_one(Path(folder, name), seen)

    def _keep_one(self, path: Path, seen: set[int]) -> None:
        try:
            found = path.lstat()
            if path.is_file() and found.st_ino not in seen:
                (self.folder / "kept" / f"{len(seen)}-{path.name}").hardlink_to(path)
                seen.add(found.st_ino)
        except OSError:
            return  # it was deleted a moment ago
