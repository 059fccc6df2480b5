"""The guard lets readers through and nothing else."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest

from etl.errors import EndpointRefused
from etl.settings import Source
from etl.source.connect import Endpoint
from etl.source.guard import PROOF_SQL, host_shape, prove_reader


def endpoint(host: str = "127.0.0.1") -> Endpoint:
    """Gives an endpoint on a host."""
    return Endpoint.of(Source(url=f"postgresql://etl@{host}:5432/issuer"))


def answers(
    *, recovery: bool, instance: str = "reader-1", aurora: str | None = None
) -> Callable[[str], Sequence[object]]:
    """Gives a session that answers the guard's questions."""
    return lambda sql: (recovery, instance, 150004, aurora is not None) if sql == PROOF_SQL else (aurora,)


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
    """Aurora's four kinds of endpoint are told apart by name; everything else is `other`."""
    assert host_shape(host) == shape


def test_a_standby_is_a_reader() -> None:
    """In recovery means reader; the instance is named."""
    assert prove_reader(answers(recovery=True), endpoint()).instance == "reader-1"


def test_the_writer_is_refused() -> None:
    """A session outside recovery is refused, and the error says that no row was read."""
    with pytest.raises(EndpointRefused, match="Connected to the writer") as refused:
        prove_reader(answers(recovery=False), endpoint())
    assert "No row was read." in str(refused.value)
    assert refused.value.exit_code == 2


def test_the_writer_endpoint_is_refused_by_name() -> None:
    """The cluster's writer endpoint is refused even while it happens to answer from a reader."""
    with pytest.raises(EndpointRefused, match="writer endpoint"):
        prove_reader(answers(recovery=True), endpoint("db.cluster-abc123.ap-northeast-1.rds.amazonaws.com"))


def test_other_instances_are_refused() -> None:
    """With an allow list, only its instances may be read; Aurora's own name counts."""
    with pytest.raises(EndpointRefused, match="not among the 1 allowed"):
        prove_reader(answers(recovery=True, aurora="db-2"), endpoint(), ["db-1"])
    assert prove_reader(answers(recovery=True, aurora="db-1"), endpoint(), ["db-1"]).instance == "db-1"
