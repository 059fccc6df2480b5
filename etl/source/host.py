"""What an Aurora host name says: the kind of its endpoint, and its region. It only advises; SQL decides."""

from __future__ import annotations

import re
from typing import Final, Literal

HostShape = Literal["custom", "writer", "reader", "instance", "other"]

_RDS: Final = re.compile(
    r"\.(?P<kind>cluster-custom-|cluster-ro-|cluster-)?[a-z0-9]+\.(?P<region>[a-z0-9-]+)\.rds\.amazonaws\.com(\.cn)?$"
)
_KINDS: Final[dict[str | None, HostShape]] = {
    "cluster-custom-": "custom",
    "cluster-ro-": "reader",
    "cluster-": "writer",
    None: "instance",
}


def host_shape(host: str) -> HostShape:
    """Returns which kind of Aurora endpoint a host name is.

    Source: Amazon Aurora User Guide, "Amazon Aurora endpoint connections".
    """
    found = _RDS.search(host)
    return _KINDS[found["kind"]] if found else "other"


def host_region(host: str) -> str | None:
    """Returns the AWS region in a host name of RDS; None for any other host."""
    found = _RDS.search(host)
    return found["region"] if found else None


def host_warning(host: str) -> str | None:
    """Returns the warning about a host name that may be used; None where there is none."""
    if host_shape(host) != "reader":
        return None
    return (
        "The host name is the cluster's reader endpoint, which other work shares, and which leads to the writer when "
        "no reader is left; a custom ETL endpoint does neither."
    )
