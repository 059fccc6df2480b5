"""Fault points of the job's own processes, its disk, and the database that it reads."""

from __future__ import annotations

from typing import Final

from scripts.fault_injection import points_bigquery as bigquery
from scripts.fault_injection import points_storage as storage
from scripts.fault_injection.field import Field
from scripts.fault_injection.point import Point, killed_at, moment, request
from scripts.fault_injection.processes import (
    kills_daemon,
    kills_driver_of_worker,
    kills_jvm,
    kills_sender,
    kills_sender_after,
)


def ends_sessions(played: Field) -> None:
    """The reader ends every session of the job, as a failover does."""
    played.database.end_sessions()


POINTS: Final[tuple[Point, ...]] = (
    killed_at("driver-at-stage", "driver killed as a table is staged", ("gifts", "stage")),
    killed_at("driver-at-audit", "driver killed as a table is audited", ("gifts", "audit")),
    killed_at("driver-at-publish", "driver killed as a table is published", ("gifts", "publish")),
    killed_at("driver-at-published", "driver killed when a table is published", ("teams", "published")),
    request("driver-in-upload", "driver killed while a worker uploads", "storage", storage.CHUNK,
            kills_driver_of_worker, own_process=True),
    request("driver-at-load", "driver killed before its load job arrives", "bigquery", bigquery.LOAD,
            kills_sender, own_process=True),
    request("driver-in-load", "driver killed while its load job runs", "bigquery", bigquery.COPY_OF_DAY,
            kills_sender_after, own_process=True),
    request("driver-between-loads", "driver killed between two partitions", "bigquery", bigquery.COPY_OF_DAY,
            kills_sender, first=2, own_process=True),
    request("driver-at-merge", "driver killed before its MERGE arrives", "bigquery", bigquery.MERGE,
            kills_sender, own_process=True),
    request("driver-in-merge", "driver killed while its MERGE runs", "bigquery", bigquery.MERGE,
            kills_sender_after, own_process=True),
    request("driver-at-ledger", "driver killed before it records a table", "bigquery", bigquery.LEDGER_OF_TABLES,
            kills_sender, own_process=True),
    request("driver-after-ledger", "driver killed after it recorded a table", "bigquery", bigquery.LEDGER_OF_TABLES,
            kills_sender_after, own_process=True),
    request("driver-at-views", "driver killed as it comes to the views", "bigquery", bigquery.VIEW,
            kills_sender, own_process=True),
    request("driver-at-report", "driver killed as it writes the report", "storage", storage.REPORT,
            kills_sender, own_process=True),
    request("jvm-in-upload", "Spark's JVM killed while a worker uploads", "storage", storage.CHUNK,
            kills_jvm, own_process=True),
    request("worker-at-upload", "a task's Python killed as it begins an upload", "storage", storage.START,
            kills_sender),
    request("worker-in-upload", "a task's Python killed as it uploads", "storage", storage.CHUNK,
            kills_sender),
    request("worker-after-upload", "a task's Python killed when its file is stored", "storage", storage.CHUNK,
            kills_sender_after),
    request("worker-in-audit", "a task's Python killed as the audit reads", "storage", storage.DOWNLOAD,
            kills_sender),
    request("daemon-in-upload", "the parent of Python workers killed", "storage", storage.CHUNK, kills_daemon),
    Point("disk-full", "the job can write no file at all", own_process=True, file_bytes=0),
    moment("source-ends-stage", "the reader ends all sessions at stage", ("gifts", "stage"), ends_sessions),
    moment("source-ends-audit", "the reader ends all sessions at audit", ("gifts", "audit"), ends_sessions),
    moment("source-ends-publish", "the reader ends all sessions at publish", ("teams", "publish"), ends_sessions),
)  # fmt: skip
