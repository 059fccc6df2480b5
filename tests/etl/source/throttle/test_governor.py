"""The cap holds over all tables of a run, and the governor backs off from a reader under strain."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from pyspark.sql import SparkSession

from etl.source import Governor, hold_snapshot
from etl.source.snapshot import SnapshotLost
from etl.source.throttle.governor import Bounds, Pulse
from etl.stage import Stager
from scripts.local_stack.postgres import STANDBY
from tests.etl.source.cluster import OURS, ROWS, Cluster
from tests.etl.source.conftest import Staging

CALM = Pulse(reads_only=True, lag_seconds=0, sessions=10, others=0)


def governor(connections: int = 9, calm_seconds: float = 0) -> tuple[Governor, list[tuple[int, str]]]:
    """Returns a governor, and what it tells."""
    told: list[tuple[int, str]] = []
    bounds = Bounds(connections, room=100, lag_seconds=5, calm_seconds=calm_seconds)
    return Governor(bounds, lambda allowed, reason: told.append((allowed, reason))), told


ENDING_SECONDS = 1
"""For less, a server lists a session that its client has left."""

_OPEN = "01"
"""A connection's state in /proc/net/tcp (Linux, include/net/tcp_states.h)."""


def held(ports: Iterable[int]) -> int:
    """Counts those of which a client on this machine holds its end; a server lists one that was left for a moment."""
    lines = [line.split() for line in Path("/proc/net/tcp").read_text(encoding="ascii").splitlines()[1:]]
    ours = {int(line[1].partition(":")[2], 16) for line in lines if line[3] == _OPEN}
    return sum(port in ours for port in ports)


@dataclass(frozen=True)
class Looks:
    """Looks at our sessions on a server: when, how many it listed, and how many of these a client held."""

    each: list[tuple[float, int, int]] = field(default_factory=list)

    @property
    def most_held(self) -> int:
        """The most that clients held at one look."""
        return max(found for _, _, found in self.each)

    def seconds_above(self, most: int) -> float:
        """Returns for how long on end the server listed more sessions than that."""
        longest, since = 0.0, None
        for at, listed, _ in self.each:
            since = (since or at) if listed > most else None
            longest = max(longest, at - since) if since else longest
        return longest


@contextmanager
def sampled(cluster: Cluster) -> Iterator[Looks]:
    """Looks at our sessions on the standby as fast as it answers, while the block runs; yields the looks."""
    looks = Looks()
    ended = threading.Event()

    def sample() -> None:
        with cluster.admin(STANDBY) as connection:
            question = f"SELECT client_port FROM pg_stat_activity WHERE {OURS}".encode()
            while not ended.is_set():
                ports = [port for (port,) in connection.execute(question)]
                looks.each.append((time.monotonic(), len(ports), held(ports)))

    sampler = threading.Thread(target=sample)
    sampler.start()
    try:
        yield looks
    finally:
        ended.set()
        sampler.join()


@pytest.mark.stack
@pytest.mark.parametrize("cap", [2, 3])
def test_the_cap_holds_over_two_tables_at_once(
    cluster: Cluster, staging: Staging, spark: SparkSession, cap: int
) -> None:
    """However many slices and tables there are, a run never holds more sessions than the setting."""
    reached = min(cap, spark.sparkContext.defaultParallelism + 1)
    with hold_snapshot(cluster.source(max_connections=cap)) as reader, sampled(cluster) as looks:
        plans = [staging.plan(reader, table, slices=3) for table in ("credits", "debits")]
        with ThreadPoolExecutor(2) as tables:
            stager = Stager(spark, reader, staging.key, staging.target, f"cap-{cap}")
            with cluster.locked("credits", "debits"):  # slices wait for each other's rows, so that they meet
                staged = [tables.submit(stager.stage_slices, plan) for plan in plans]
                cluster.await_standby(f"(SELECT count(*) = {reached} FROM pg_stat_activity WHERE {OURS})")
            assert [one.result().rows for one in staged] == [ROWS, ROWS]
    assert looks.most_held == reached
    assert looks.seconds_above(reached) < ENDING_SECONDS


def test_the_cap_is_a_share_of_the_server_at_most() -> None:
    """A small server gives a small share, whatever the setting; one holds the snapshot, one reads, always."""
    assert Bounds.of(16, 0.25, 97, 60).connections == 16
    assert Bounds.of(60, 0.25, 97, 60).connections == 24
    assert Bounds.of(16, 0.25, 5, 60).connections == 2


def test_strain_halves_and_calm_gives_back_one_by_one() -> None:
    """Eight turns become four, two, one under strain, and each calm look gives one back, up to the cap."""
    found, told = governor()
    assert found.allowed == found.most == 8
    for _ in range(5):
        found.strained("slices fail")
    assert [allowed for allowed, _ in told] == [4, 2, 1]
    for _ in range(20):
        found.hear(CALM)
    assert [allowed for allowed, _ in told[3:]] == [2, 3, 4, 5, 6, 7, 8]
    assert found.allowed == 8


def test_one_strain_counts_once() -> None:
    """Many slices that fail together are one sign, not many."""
    found, told = governor(calm_seconds=60)
    for _ in range(8):
        found.strained("slices fail")
    assert told == [(4, "slices fail")]


@pytest.mark.parametrize(
    ("pulse", "reason"),
    [
        (Pulse(reads_only=True, lag_seconds=6, sessions=10, others=0), "the reader lags"),
        (Pulse(reads_only=True, lag_seconds=0, sessions=95, others=0), "the reader's connections run out"),
    ],
)
def test_what_the_heartbeat_sees_counts(pulse: Pulse, reason: str) -> None:
    """Lag that lasts for two looks, and a server that fills up, make the governor back off and say why."""
    found, told = governor()
    found.hear(pulse)
    found.hear(pulse)
    assert (4, reason) in told


def test_load_above_a_limit_lasts_until_it_is_below() -> None:
    """While CloudWatch says that the reader is busy nothing is given back, however calm the heartbeat is."""
    found, _ = governor()
    found.loaded("CPUUtilization above the limit")
    for _ in range(20):
        found.hear(CALM)
    assert found.allowed == 4
    found.loaded("")
    found.hear(CALM)
    assert found.allowed == 5


def test_other_runs_on_the_endpoint_count() -> None:
    """Sessions of other runs of ours take their part of the cap; one turn is always left."""
    found, _ = governor()
    for others, allowed in ((3, 5), (50, 1), (0, 8)):
        found.hear(Pulse(reads_only=True, lag_seconds=0, sessions=10, others=others))
        assert found.allowed == allowed


def test_a_loss_wakes_those_who_wait() -> None:
    """Whoever waits for a turn when the run's footing is lost gets the error."""
    found, _ = governor(connections=2)
    lost = SnapshotLost("gone", not_done="nothing")
    with ThreadPoolExecutor(1) as other, found.turn():
        waiting = other.submit(found.turn().__enter__)
        found.lose(lost)
        assert isinstance(waiting.exception(timeout=10), SnapshotLost)
