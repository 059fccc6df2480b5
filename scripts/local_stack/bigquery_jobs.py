"""Lets local-bigquery write its jobs to disk together: one alone costs milliseconds, and each request makes some.

As it comes, a job is written at every change of its state. Here one that is done goes to disk when a statement asks for
jobs there, after a second, or at the end; one that is under way dies with this process anyway.
"""

from __future__ import annotations

import atexit
import functools
import json
import re
import signal
import sys
import threading
import time
from typing import Any, Final

from local_bigquery.engine import database
from local_bigquery.jobs import store
from local_bigquery.models import Job

_REMEMBERED: Final = 1000
_TABLE: Final = re.compile(r"emulator\.(?:main\.)?jobs")
_ADD: Final = f"INSERT OR REPLACE INTO emulator.jobs SELECT {', '.join(['unnest(?)'] * 6)}"
_SECONDS_TO_DISK: Final = 1.0
_connection, _load, _delete = database.connection, store.load, store.delete
_remembered: dict[tuple[str, str], str] = {}
_forgotten: set[tuple[str, str]] = set()


class _Done:
    """Jobs that are done and not yet on disk."""

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._rows: dict[tuple[str, str], tuple[Any, ...]] = {}

    def add(self, job: Job, resource: str) -> None:
        """Keeps the row of a job until it is written."""
        of = job.jobReference
        more = (job.statistics.parentJobId, job.status.state, int(job.statistics.creationTime), resource)
        with self._guard:
            self._rows[of.projectId, of.jobId] = (of.projectId, of.jobId, *more)

    def write(self) -> None:
        """Writes those that wait, in one statement."""
        with self._guard:
            if self._rows:
                columns = [list(values) for values in zip(*self._rows.values(), strict=True)]
                _connection().cursor().execute(_ADD, columns)
                self._rows.clear()

    def write_on(self) -> None:
        """Writes what has come, again and again."""
        while True:
            time.sleep(_SECONDS_TO_DISK)
            self.write()


_done = _Done()


def write_if_asked_for(sql: str) -> None:
    """Writes the jobs that wait, if a statement reads or changes jobs on disk."""
    if _TABLE.search(sql):
        _done.write()


def _saved(job: Job) -> Job:
    key = (job.jobReference.projectId, job.jobReference.jobId)
    _remembered[key] = resource = json.dumps(job.dump())
    if job.status.state == "DONE":
        _done.add(job, resource)
        for old in list(_remembered)[:-_REMEMBERED]:
            _remembered.pop(old, None)
            _forgotten.add(old)
    return job


@functools.cache
def _before() -> frozenset[tuple[str, str]]:
    """Returns the jobs of earlier processes: whether the name of a new job is taken is asked for each."""
    with database.cursor() as cursor:
        return frozenset(cursor.execute("SELECT project_id, job_id FROM emulator.jobs").fetchall())


def _loaded(project: str, job: str) -> Job | None:
    key = (project, job)
    if known := _remembered.get(key):
        return Job.model_validate_json(known)
    return _load(project, job) if key in _forgotten or key in _before() else None


def _deleted(project: str, job: str) -> None:
    _remembered.pop((project, job), None)
    _delete(project, job)


def keep_jobs() -> None:
    """Keeps jobs so, from the server's start on; its end writes what waits."""
    store.save, store.load, store.delete = _saved, _loaded, _deleted
    threading.Thread(target=_done.write_on, daemon=True).start()
    atexit.register(_done.write)
    signal.signal(
        signal.SIGTERM, lambda *_: sys.exit(0)
    )  # the server raises it again at its end, and that would be all
