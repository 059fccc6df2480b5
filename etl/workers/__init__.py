"""The cluster's workers: proven before a run takes its tables, watched while it works, their failures named."""

from etl.workers.cluster import prove_cluster
from etl.workers.failures import failure_of
from etl.workers.watch import watched_workers

__all__ = [
    "failure_of",
    "prove_cluster",
    "watched_workers",
]
