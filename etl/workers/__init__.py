"""The cluster's workers: proven before a run takes its tables, watched while it works, their failures named."""

from etl.workers.cluster import prove_cluster
from etl.workers.failures import named_failure
from etl.workers.watch import watched_workers

__all__ = [
    "named_failure",
    "prove_cluster",
    "watched_workers",
]
