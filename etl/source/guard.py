"""The reader guard: SQL proves, on every connection, that the session is on a reader that may be read.

A custom endpoint of type ANY can follow a failover to the writer, and a reader can be promoted: a host name proves
nothing. The host's shape is linted first only because it gives the better advice.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from etl.errors import NO_ROW_READ, EndpointRefused
from etl.source.connect import Endpoint

HostShape = Literal["custom", "writer", "reader", "instance", "other"]

_RDS: Final = re.compile(
    r"\.(?P<kind>cluster-custom-|cluster-ro-|cluster-)?[a-z0-9]+\.[a-z0-9-]+\.rds\.amazonaws\.com(\.cn)?$"
)

PROOF_SQL: Final = """
SELECT pg_is_in_recovery() AS in_recovery,
       coalesce(nullif(current_setting('cluster_name'), ''), 'unnamed')::text AS instance,
       current_setting('server_version_num')::int8 AS version,
       (to_regproc('aurora_db_instance_identifier') IS NOT NULL) AS is_aurora
"""
AURORA_INSTANCE_SQL: Final = "SELECT aurora_db_instance_identifier()::text"


@dataclass(frozen=True)
class Reader:
    """What the guard proved: the instance that is read, and its server version number."""

    instance: str
    version: int


def host_shape(host: str) -> HostShape:
    """Tells which kind of Aurora endpoint a host name is.

    Source: Amazon Aurora User Guide, "Amazon Aurora endpoint connections".
    """
    found = _RDS.search(host)
    if not found:
        return "other"
    kinds: dict[str | None, HostShape] = {"cluster-custom-": "custom", "cluster-ro-": "reader", "cluster-": "writer"}
    return kinds.get(found["kind"], "instance")


def prove_reader(
    ask: Callable[[str], Sequence[object]], endpoint: Endpoint, allowed_instances: Sequence[str] = ()
) -> Reader:
    """Gives the reader that the session is on.

    Args:
        ask: runs a query on the session in question and gives its only row.
        endpoint: for the error's place.
        allowed_instances: names that may be read; empty allows any reader.

    Raises:
        EndpointRefused: the session is on a writer, or on an instance outside the allowed list. No row was read.
    """
    if host_shape(endpoint.host) == "writer":
        raise EndpointRefused(
            "The host name is the cluster's writer endpoint.", not_done=NO_ROW_READ, where=endpoint.place
        )
    in_recovery, instance, version, is_aurora = ask(PROOF_SQL)
    if is_aurora:
        (instance,) = ask(AURORA_INSTANCE_SQL)
    where = {**endpoint.place, "instance": instance}
    if in_recovery is not True:
        raise EndpointRefused(
            "Connected to the writer (pg_is_in_recovery() is false).", not_done=NO_ROW_READ, where=where
        )
    if allowed_instances and instance not in allowed_instances:
        raise EndpointRefused(
            f"Connected to an instance that is not among the {len(allowed_instances)} allowed ones.",
            not_done=NO_ROW_READ,
            advice="Add the instance to [source].allowed_instances, or use the custom ETL endpoint.",
            where=where,
        )
    return Reader(str(instance), int(str(version)))
