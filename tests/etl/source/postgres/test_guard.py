"""The guard lets readers through and nothing else."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import pytest

from etl.settings import SourceSettings
from etl.source.endpoint import Endpoint
from etl.source.guard import EndpointRefused, ReaderChanged, still_the_reader
from etl.source.postgres.guard import PROOF_SQL, prove_reader


def endpoint(host: str = "127.0.0.1") -> Endpoint:
    """Returns an endpoint on a host."""
    return Endpoint.of(SourceSettings(url=f"postgresql://etl@{host}:5432/issuer"))


def answers(
    *, recovery: bool, instance: str = "reader-1", aurora: str | None = None, version: int = 150004
) -> Callable[[str], Sequence[object]]:
    """Returns a session that answers the guard's questions."""
    return lambda sql: (recovery, instance, version, aurora is not None) if sql == PROOF_SQL else (aurora,)


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


def test_old_servers_are_refused() -> None:
    """Below the floor a server is refused with both versions, however well it reads."""
    with pytest.raises(EndpointRefused, match="120019 is older than 130000"):
        prove_reader(answers(recovery=True, version=120019), endpoint())


@pytest.mark.parametrize(
    ("now", "reason"),
    [
        ({"recovery": False}, "connected to the writer"),
        ({"recovery": True, "instance": "reader-2"}, "another server answers"),
        ({"recovery": True, "version": 150005}, "another server answers"),
    ],
)
def test_a_change_in_the_middle_of_a_run_asks_for_another_run(now: dict[str, Any], reason: str) -> None:
    """What is refused for good at the start is transient later: the next run looks at the endpoint anew."""
    pinned = prove_reader(answers(recovery=True), endpoint())
    still_the_reader(lambda: prove_reader(answers(recovery=True), endpoint()), endpoint(), pinned)
    with pytest.raises(ReaderChanged, match=reason) as changed:
        still_the_reader(lambda: prove_reader(answers(**now), endpoint()), endpoint(), pinned)
    assert changed.value.exit_code == 3
    assert changed.value.__context__ is None
