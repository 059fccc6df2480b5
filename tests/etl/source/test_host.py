"""Host names of Aurora say what they are."""

from __future__ import annotations

import pytest

from etl.source.host import host_region, host_shape, host_warning


@pytest.mark.parametrize(
    ("host", "shape"),
    [
        ("etl.cluster-custom-abc123.ap-northeast-1.rds.amazonaws.com", "custom"),
        ("db.cluster-ro-abc123.ap-northeast-1.rds.amazonaws.com", "reader"),
        ("db.cluster-abc123.ap-northeast-1.rds.amazonaws.com", "writer"),
        ("db-1.abc123.ap-northeast-1.rds.amazonaws.com", "instance"),
        ("127.0.0.1", "other"),
        ("db.cluster-abc123.example.com", "other"),
    ],
)
def test_host_shapes(host: str, shape: str) -> None:
    """Aurora's four kinds of endpoint are distinguished by name; everything else is `other`."""
    assert host_shape(host) == shape


def test_regions_stand_in_the_name() -> None:
    """The region of a host of RDS is known without asking; other hosts have none."""
    assert host_region("etl.cluster-custom-abc123.ap-northeast-1.rds.amazonaws.com") == "ap-northeast-1"
    assert host_region("db.cluster-abc123.example.com") is None


def test_only_the_shared_reader_endpoint_is_warned_of() -> None:
    """The cluster's reader endpoint passes with a word about what it shares; custom endpoints pass without."""
    assert "custom ETL endpoint" in (host_warning("db.cluster-ro-abc123.ap-northeast-1.rds.amazonaws.com") or "")
    assert host_warning("etl.cluster-custom-abc123.ap-northeast-1.rds.amazonaws.com") is None
