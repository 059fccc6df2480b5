"""Fault points of BigQuery and of the login to Google."""

from __future__ import annotations

from typing import Final

from scripts.fault_injection.field import Field
from scripts.fault_injection.http_faults import answers, answers_after, answers_page, hangs, loses, resets, still_runs
from scripts.fault_injection.point import Point, moment, request
from scripts.fault_injection.points_storage import CHUNK
from scripts.fault_injection.proxy import Rule

_API: Final = r"^/bigquery/v2/projects/[^/]+"
CHECK: Final = ("GET", rf"{_API}/datasets\?")
DATASET: Final = ("GET", rf"{_API}/datasets/[^/?]+(\?|$)")
TABLE: Final = ("GET", rf"{_API}/datasets/small\w*/tables/(teams|gifts)")
LOAD: Final = ("POST", rf"{_API}/jobs", r'"load".*"stage_(teams|gifts|standings|followers)')
COPY: Final = ("POST", rf"{_API}/jobs", r'"copy".*"(teams|gifts|standings)')
COPY_OF_DAY: Final = ("POST", rf"{_API}/jobs", r'"copy".*"gifts\$')
COUNT: Final = ("POST", rf"{_API}/queries", "COUNT.*stage_(teams|gifts)")
LOAD_BESIDE: Final = ("POST", rf"{_API}/jobs", r'"load".*"stage_followers')
MERGE: Final = ("POST", rf"{_API}/jobs", r'"query".*MERGE ')
BESIDE: Final = ("POST", rf"{_API}/datasets/ops\w*/tables", "stage_followers")
DROP: Final = ("DELETE", rf"{_API}/datasets/ops\w*/tables/stage_followers")
LEASE: Final = ("POST", rf"{_API}/(jobs|queries)", "UPDATE [^ ]*leases")
POLL: Final = ("GET", rf"{_API}/jobs/kagemusha_")
LEDGER: Final = ("POST", r"^/upload/bigquery/")
LEDGER_OF_TABLES: Final = ("POST", r"^/upload/bigquery/", "table_loads")
LEDGER_OF_STAGES: Final = ("POST", r"^/upload/bigquery/", r'"tableId": ?"stages"')
LEDGER_QUERY: Final = ("POST", rf"{_API}/queries", "key_checks")
VIEW: Final = ("GET", rf"{_API}/datasets/looker/tables/")
SLOW: Final = (Rule("POST", LOAD[1], still_runs, LOAD[2], times=999),)
"""Load jobs that are not done at once."""


def login_is_refused(played: Field) -> None:
    """The job's role is taken out of the pool; its tokens live a second, so the next request needs a new one."""
    played.tokens.refuses = True


def token_service_is_busy(played: Field) -> None:
    """The token service answers 503 twice, just when new tokens are needed."""
    played.tokens.busy = 2


POINTS: Final[tuple[Point, ...]] = (
    request("bigquery-check-503", "503 twice to the first look at BigQuery", "bigquery", CHECK, answers(503), times=2),
    request("dataset-500", "500 twice as a dataset is read", "bigquery", DATASET, answers(500), times=2),
    request("table-503", "503 twice as a table is read", "bigquery", TABLE, answers(503), times=2),
    request("table-reset", "connection reset as a table is read", "bigquery", TABLE, resets),
    request("table-403", "403 as a table is read", "bigquery", TABLE, answers(403)),
    request("load-503", "503 twice to a load job", "bigquery", LOAD, answers(503), times=2),
    request("load-502-page", "502 with a page for people", "bigquery", LOAD, answers_page(502)),
    request("load-429", "429 twice to a load job", "bigquery", LOAD, answers(429), times=2),
    request("load-403-rate", "403, too many requests", "bigquery", LOAD, answers(403, "rateLimitExceeded")),
    request("load-403-quota", "403, the day's quota is used up", "bigquery", LOAD, answers(403, "quotaExceeded")),
    request("load-400", "400, a load job is refused", "bigquery", LOAD, answers(400), first=2),
    request("copy-400", "400, one partition's job is refused", "bigquery", COPY_OF_DAY, answers(400), first=2),
    request("copy-503", "503 twice to a copy job", "bigquery", COPY, answers(503), times=2),
    request("copy-lost", "a copy is made and the answer lost", "bigquery", COPY, loses),
    request("count-503", "503 twice as loaded rows are counted", "bigquery", COUNT, answers(503), times=2),
    request("load-409", "409, though no such job exists", "bigquery", LOAD, answers(409)),
    request("load-412", "412 to a load job", "bigquery", LOAD, answers(412)),
    request("load-reset", "connection reset at a load job", "bigquery", LOAD, resets),
    request("load-lost", "a load job is done and the answer lost", "bigquery", LOAD, loses),
    request("load-503-done", "a load job is done and 503 answered", "bigquery", LOAD, answers_after(503)),
    request("load-hangs", "a load job's request times out", "bigquery", LOAD, hangs(30)),
    request("load-500-on", "500 to every load job", "bigquery", LOAD, answers(500), times=999),
    request("poll-503", "503 three times as a job is awaited", "bigquery", POLL, answers(503), times=3, before=SLOW),
    request("poll-reset", "connection reset as a job is awaited", "bigquery", POLL, resets, before=SLOW),
    request("poll-404", "404, the job is unknown", "bigquery", POLL, answers(404), before=SLOW),
    request("poll-500-on", "500 whenever a job is awaited", "bigquery", POLL, answers(500), times=999, before=SLOW),
    request("beside-lost", "a staging table is made and the answer lost", "bigquery", BESIDE, loses),
    request("load-beside-lost", "changes are loaded and the answer lost", "bigquery", LOAD_BESIDE, loses),
    request("merge-503", "503 twice to a MERGE", "bigquery", MERGE, answers(503), times=2),
    request("merge-lost", "a MERGE is done and the answer lost", "bigquery", MERGE, loses),
    request("merge-400", "400 to a MERGE", "bigquery", MERGE, answers(400, "invalidQuery")),
    request("drop-lost", "a staging table is dropped and the answer lost", "bigquery", DROP, loses),
    request("drop-403", "403 as a staging table is dropped", "bigquery", DROP, answers(403)),
    request("lease-lost", "a lease is taken and the answer lost", "bigquery", LEASE, loses),
    request("lease-503", "503 as a lease is taken", "bigquery", LEASE, answers(503)),
    request("ledger-503", "503 as the run's start is recorded", "bigquery", LEDGER, answers(503)),
    request("ledger-table-503", "503 as a table's end is recorded", "bigquery", LEDGER_OF_TABLES, answers(503)),
    request("ledger-table-lost", "recorded, and the answer lost", "bigquery", LEDGER_OF_TABLES, loses),
    request("ledger-stage-503", "503 as a stage is recorded", "bigquery", LEDGER_OF_STAGES, answers(503)),
    request("ledger-stage-lost", "a stage is recorded, and the answer lost", "bigquery", LEDGER_OF_STAGES, loses),
    request("ledger-query-500", "500 twice as the ledger is read", "bigquery", LEDGER_QUERY, answers(500), times=2),
    request("view-503", "503 twice as a view is read", "bigquery", VIEW, answers(503), times=2),
    request("view-403", "403 as a view is read", "bigquery", VIEW, answers(403)),
    request("login-401", "401, a token has expired early", "bigquery", LOAD, answers(401), federated=True),
    request("login-401-worker", "401 to the bytes of a file", "storage", CHUNK, answers(401), federated=True),
    moment("login-busy", "503 from the token service", ("gifts", "publish"), token_service_is_busy, federated=True),
    moment("login-ends", "credentials end before publishing", ("teams", "publish"), login_is_refused, federated=True),
)
