"""BigQuery jobs under ids of their own: adopted where an earlier request started them, tried again within a budget.

An id follows from what the job does, so a repeated try finds its own job. A job that failed keeps its id for ever, and
so does one of somebody else's who guessed it; the next try has a number at its end.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Sequence
from typing import Final, TypeVar

from google.api_core import exceptions as google_errors
from google.api_core.future.polling import PollingFuture
from google.cloud import bigquery

from etl.cloud.bigquery.failures import PASSING_REASONS, RETRY, TIMEOUT_SECONDS, translated
from etl.cloud.bigquery.warehouse import Warehouse
from etl.errors import NOT_PUBLISHED, PublishFailed
from etl.retries import pauses
from masking.errors import KagemushaError

_JOB_SECONDS: Final = 3600
_BUDGET_SECONDS: Final = 600
_FIRST_PAUSE_SECONDS: Final = 1.0
_LONGEST_PAUSE_SECONDS: Final = 60.0
_TRIES: Final = 50
_FOUND_SOON = RETRY.with_predicate(lambda error: isinstance(error, google_errors.NotFound)).with_timeout(10)
"""Right after a conflict, BigQuery may not know the job yet that it conflicts with."""
_DAYS: Final = re.compile(r"IN \((?:DATE '[\d-]+'(?:, )?)+\)|\bFALSE\b")
"""How a merge names days, or that there are none."""


def _free() -> None:
    """Lets every try be made."""


Job = TypeVar("Job", bigquery.LoadJob, bigquery.QueryJob, bigquery.CopyJob)


def load(
    warehouse: Warehouse,
    uris: Sequence[str],
    destination: str,
    job_id: str,
    config: bigquery.LoadJobConfig,
    prove: Callable[[], None] = _free,
) -> bigquery.LoadJob:
    """Loads files and returns the finished job; `prove` says before each try that it may be made.

    Raises:
        PublishRefused: BigQuery refused the data or the request; trying again cannot help.
        PublishFailed: it failed for another reason, also when it was tried again.
    """

    def start(name: str) -> bigquery.LoadJob:
        return warehouse.client.load_table_from_uri(
            list(uris), destination, job_id=name, job_config=config, timeout=TIMEOUT_SECONDS, retry=RETRY
        )

    def same(found: bigquery.LoadJob) -> bool:
        return bool(found.source_uris == list(uris) and found.destination == _table(destination))

    return _done(warehouse, bigquery.LoadJob, start, same, job_id, prove)


def copy(
    warehouse: Warehouse,
    source: str,
    destination: str,
    job_id: str,
    config: bigquery.CopyJobConfig,
    prove: Callable[[], None] = _free,
) -> bigquery.CopyJob:
    """Copies a table, or a partition of it, and returns the finished job; `prove` says before each try if it may run.

    Raises:
        PublishRefused: BigQuery refused the request; trying again cannot help.
        PublishFailed: it failed for another reason, also when it was tried again.
    """

    def start(name: str) -> bigquery.CopyJob:
        return warehouse.client.copy_table(
            source, destination, job_id=name, job_config=config, timeout=TIMEOUT_SECONDS, retry=RETRY
        )

    def same(found: bigquery.CopyJob) -> bool:
        return bool(found.sources == [_table(source)] and found.destination == _table(destination))

    return _done(warehouse, bigquery.CopyJob, start, same, job_id, prove)


def run_statement(
    warehouse: Warehouse,
    sql: str,
    job_id: str,
    config: bigquery.QueryJobConfig,
    prove: Callable[[], None] = _free,
) -> bigquery.QueryJob:
    """Runs a statement and returns the finished job; `prove` says before each try that it may be made.

    Raises:
        PublishRefused: BigQuery refused the statement; trying again cannot help.
        PublishFailed: it failed for another reason, also when it was tried again.
    """

    def start(name: str) -> bigquery.QueryJob:
        return warehouse.client.query(
            sql, job_id=name, job_config=config, timeout=TIMEOUT_SECONDS, retry=RETRY, job_retry=None
        )

    def same(found: bigquery.QueryJob) -> bool:
        return bool(_but_days(found.query) == _but_days(sql) and config.destination in {None, found.destination})

    return _done(warehouse, bigquery.QueryJob, start, same, job_id, prove)


def _but_days(sql: str) -> str:
    """Returns a statement without the days that it names: a merge names those of the rows that stand as well."""
    return _DAYS.sub("", sql)


def _table(name: str) -> bigquery.TableReference:
    return bigquery.TableReference.from_string(name)


def _done(
    warehouse: Warehouse,
    kind: type[Job],
    start: Callable[[str], Job],
    same: Callable[[Job], bool],
    job_id: str,
    prove: Callable[[], None],
) -> Job:
    """Returns the finished job; a job under its id that is not the same one is nobody's proof of anything."""
    waits = pauses(_FIRST_PAUSE_SECONDS, _LONGEST_PAUSE_SECONDS, time.monotonic() + _BUDGET_SECONDS)
    for number in range(1, _TRIES + 1):
        name = job_id if number == 1 else f"{job_id}_{number}"
        prove()
        job, adopted = _started(warehouse, kind, start, name)
        if job is None or (adopted and not same(job)):
            continue
        try:
            _await(job)
        except KagemushaError:
            if adopted and job.state == "DONE":
                continue  # how an earlier try of it failed says nothing about this one
            reason = (job.error_result or {}).get("reason")
            pause = next(waits, None)
            if reason not in PASSING_REASONS or pause is None:
                raise
        else:
            return job
        time.sleep(pause)
    raise PublishFailed(f"Job {job_id} failed {_TRIES} times.", not_done=NOT_PUBLISHED)


def _started(warehouse: Warehouse, kind: type[Job], start: Callable[[str], Job], name: str) -> tuple[Job | None, bool]:
    """Starts a job, or finds the one that has its id, None if of another kind; also returns whether it was found."""
    with translated(f"Job {name} could not be started"):
        try:
            return start(name), False
        except google_errors.Conflict:
            pass
        location = warehouse.settings.location
        found = _FOUND_SOON(warehouse.client.get_job)(name, location=location, timeout=TIMEOUT_SECONDS, retry=RETRY)
        return (found if isinstance(found, kind) else None), True


def _await(job: bigquery.LoadJob | bigquery.QueryJob | bigquery.CopyJob) -> None:
    """Waits until a job is done; one that takes too long is canceled: it must not overwrite a later run's rows."""
    with translated(f"Job {job.job_id} failed"):
        try:
            # Not the job's own `result`: a query's asks for rows, and takes a failed job for a request to repeat.
            PollingFuture.result(job, timeout=_JOB_SECONDS, retry=RETRY)
        except TimeoutError:
            job.cancel(timeout=TIMEOUT_SECONDS, retry=RETRY)
            raise
