"""A run's way to a cluster: its session is opened and its workers are proven, before the run holds anything."""

from __future__ import annotations

from etl.errors import NO_ROW_READ
from etl.installation import Installation
from etl.spark import on_cluster, spark_session
from etl.workers.failures import NoWorker, named_failure
from etl.workers.preflight import prove_workers
from etl.workers.ways import Ways
from masking.errors import KagemushaError


def prove_cluster(installation: Installation) -> None:
    """Proves a cluster's workers before the run holds anything; on this machine there is nothing to prove.

    Raises:
        KagemushaError: the cluster has no worker, or one that cannot work; see `prove_workers`.
    """
    if not on_cluster():
        return
    failure: KagemushaError | None = None
    settings = installation.settings
    try:
        spark = spark_session()
    except Exception as error:  # noqa: BLE001  only its kind is kept
        what = f"Spark's session on the cluster could not be opened: {type(error).__name__}."
        failure = named_failure(error, NO_ROW_READ) or NoWorker(what, not_done=NO_ROW_READ)
    if failure is not None:
        raise failure
    ways = Ways(installation.key, installation.location, settings.source)
    prove_workers(spark, ways, settings.limits.worker_wait_seconds)
