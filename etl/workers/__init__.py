"""The cluster's workers: proven before a run takes its tables, watched while it works, their failures named."""

from etl.workers.failures import NoWorker, named_failure
from etl.workers.preflight import prove_workers
from etl.workers.watch import watched_workers
from etl.workers.ways import Ways

__all__ = [
    "NoWorker",
    "Ways",
    "named_failure",
    "prove_workers",
    "watched_workers",
]
