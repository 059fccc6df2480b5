"""Statements that change rows in place (DML), and what makes them safe to try again.

BigQuery runs each under snapshot isolation: of two that change or delete rows of one table at once, one is refused
with "could not serialize access", which only means: again, please.
"""

from __future__ import annotations

import random
import time
from collections.abc import Sequence
from typing import Final

from google.api_core import exceptions as google_errors
from google.cloud import bigquery

from etl.cloud.bigquery.warehouse import RETRY, TIMEOUT_SECONDS, Warehouse, translated

Parameter = bigquery.ScalarQueryParameter | bigquery.ArrayQueryParameter

_TRIES: Final = 8
_FIRST_PAUSE_SECONDS: Final = 0.3
_JOB_SECONDS: Final = 3600
_CONFLICT: Final = ("could not serialize", "concurrent update", "too many dml")
"""What BigQuery says, under the reason `invalidQuery` or `rateLimitExceeded`, when another statement was faster."""


def text(name: str, value: str) -> bigquery.ScalarQueryParameter:
    """Returns a parameter of one text."""
    return bigquery.ScalarQueryParameter(name, "STRING", value)


def texts(name: str, values: Sequence[str]) -> bigquery.ArrayQueryParameter:
    """Returns a parameter of several texts."""
    return bigquery.ArrayQueryParameter(name, "STRING", list(values))


def number(name: str, value: int) -> bigquery.ScalarQueryParameter:
    """Returns a parameter of one integer."""
    return bigquery.ScalarQueryParameter(name, "INT64", value)


def change(warehouse: Warehouse, what: str, sql: str, parameters: Sequence[Parameter] = (), job_id: str = "") -> int:
    """Runs a statement and gives how many rows it changed; what may conflict with others is tried again.

    Args:
        warehouse: where.
        what: says what failed, should it fail.
        sql: one INSERT, UPDATE, DELETE or MERGE. Without a job id it must mean the same when it runs twice.
        parameters: named ones.
        job_id: makes it run once, however often it is asked for: a lost answer finds its own job.

    Raises:
        PublishFailed, PublishRefused: BigQuery failed or refused it.
    """
    pause = _FIRST_PAUSE_SECONDS
    with translated(what):
        for attempt in range(_TRIES):
            try:
                return _once(warehouse, sql, parameters, f"{job_id}_{attempt}" if job_id else "")
            except google_errors.GoogleAPICallError as error:
                if not any(word in str(error).casefold() for word in _CONFLICT):
                    raise
                if attempt + 1 == _TRIES:  # BigQuery calls a conflict invalid, which sounds as if it could not pass
                    raise google_errors.Aborted("other statements were faster each time") from None
            time.sleep(pause * random.uniform(0.5, 1.5))  # noqa: S311  jitter, no secret
            pause = min(pause * 2, 5.0)
    raise AssertionError  # the last attempt returns or raises


def _once(warehouse: Warehouse, sql: str, parameters: Sequence[Parameter], job_id: str) -> int:
    config = bigquery.QueryJobConfig(query_parameters=list(parameters), labels={"managed_by": "kagemusha"})
    client = warehouse.client
    if not job_id:
        rows = client.query_and_wait(sql, job_config=config, api_timeout=TIMEOUT_SECONDS, retry=RETRY)
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
