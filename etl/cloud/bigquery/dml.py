"""Statements that change rows in place (DML), and what makes them safe to try again.

BigQuery runs each under snapshot isolation: of two that change or delete rows of one table at once, one is refused
with "could not serialize access", which only means: again, please.
"""

from __future__ import annotations

import time
from itertools import islice
from typing import Final

from google.api_core import exceptions as google_errors
from google.cloud import bigquery

from etl.cloud.bigquery.failures import RETRY, TIMEOUT_SECONDS, translated
from etl.cloud.bigquery.parameters import Value, bound
from etl.cloud.bigquery.warehouse import Warehouse
from etl.retries import pauses

_TRIES: Final = 8
_FIRST_PAUSE_SECONDS: Final = 0.3
_LONGEST_PAUSE_SECONDS: Final = 5.0
_JOB_SECONDS: Final = 3600
_CONFLICT: Final = ("could not serialize", "concurrent update", "too many dml")
"""What BigQuery says, under the reason `invalidQuery` or `rateLimitExceeded`, when another statement was faster."""


def change(warehouse: Warehouse, what: str, sql: str, /, *, job_id: str = "", **parameters: Value) -> int:
    """Runs a statement and returns how many rows it changed; what may conflict with others is tried again.

    Args:
        warehouse: where.
        what: says what failed, should it fail.
        sql: one INSERT, UPDATE, DELETE or MERGE. Without a job id it must mean the same when it runs twice.
        job_id: makes it run once, however often it is asked for: a lost answer finds its own job.
        parameters: the named ones, each of the type that its value has.

    Raises:
        PublishFailed, PublishRefused: BigQuery failed or refused it.
        TypeError: a value is of a type that no parameter has.
    """
    config = bigquery.QueryJobConfig(query_parameters=bound(parameters), labels={"managed_by": "kagemusha"})
    with translated(what):
        for attempt, pause in enumerate(islice(pauses(_FIRST_PAUSE_SECONDS, _LONGEST_PAUSE_SECONDS), _TRIES)):
            try:
                return _once(warehouse, sql, config, f"{job_id}_{attempt}" if job_id else "")
            except google_errors.GoogleAPICallError as error:
                if not any(word in str(error).casefold() for word in _CONFLICT):
                    raise
            if attempt + 1 < _TRIES:
                time.sleep(pause)
        # BigQuery calls a conflict invalid, which sounds as if it could not pass.
        raise google_errors.Aborted("other statements were faster each time")


def _once(warehouse: Warehouse, sql: str, config: bigquery.QueryJobConfig, job_id: str) -> int:
    client = warehouse.client
    if not job_id:
        rows = client.query_and_wait(sql, job_config=config, api_timeout=TIMEOUT_SECONDS, retry=RETRY, job_retry=RETRY)
        return int(rows.num_dml_affected_rows or 0)
    try:
        job = client.query(sql, job_config=config, job_id=job_id, timeout=TIMEOUT_SECONDS, retry=RETRY, job_retry=None)
    except google_errors.Conflict:
        found = client.get_job(job_id, location=warehouse.settings.location, timeout=TIMEOUT_SECONDS, retry=RETRY)
        if not isinstance(found, bigquery.QueryJob):
            raise
        job = found
    job.result(timeout=_JOB_SECONDS, retry=RETRY, job_retry=None)
    return int(job.num_dml_affected_rows or 0)
