"""One pinned snapshot for a whole run: exported on one reader, held open by the driver, joined by every slice."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

from etl.errors import NOT_PUBLISHED, RunLost
from etl.settings import SourceSettings
from etl.source.endpoint import Endpoint
from etl.source.guard import Reader
from etl.source.throttle.cloudwatch import watched_load
from etl.source.throttle.governor import Bounds, Governor, Pulse
from etl.source.throttle.heartbeat import Heartbeat
from etl.source.throttle.hold import Hold
from masking.errors import KagemushaError

Say = Callable[[str, dict[str, object]], None]
"""Hears what a person should know about the source: a step, and names and counts."""


class SnapshotLost(RunLost):
    """The pinned snapshot is gone, so no further slice can read the rows of the others."""


@dataclass(frozen=True)
class Snapshot:
    """What a slice needs to read the very same rows: the pinned instance and the snapshot's name.

    The server is what names it among all servers, whatever its instances; empty where it does not say.

    MySQL exports no snapshot: there the name says that each slice is a consistent read of its own.
    """

    endpoint: Endpoint
    name: str
    reader: Reader
    server: str = ""

    @property
    def pinned(self) -> bool:
        """Whether all slices see one and the same state."""
        return self.endpoint.engine == "postgres"

    @property
    def join_sql(self) -> tuple[str, str]:
        """The statements that begin a transaction which sees the snapshot's rows and nothing else."""
        return "BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY", f"SET TRANSACTION SNAPSHOT '{self.name}'"

    def lost(self, reason: str) -> SnapshotLost:
        """Returns the error that says that the snapshot is gone."""
        return SnapshotLost(
            f"The pinned snapshot is gone: {reason}.",
            not_done=NOT_PUBLISHED,
            where={**self.endpoint.place, "instance": self.reader.instance},
        )


Look = Callable[[Callable[[], bool]], Pulse | None]
"""Takes one look at the reader, in bounded time; None when its argument became true meanwhile."""


@dataclass(frozen=True)
class OpenSnapshot:
    """What an engine keeps open for a run.

    Attributes:
        snapshot: what slices need.
        room: how many sessions the server takes.
        look: looks at the reader on the session that is kept open.
        let_go: ends that session, and with it every lock.
        unlocked: table → why it could not be locked, so that it is not to be read.
        warning: what a person should know about the reader.
    """

    snapshot: Snapshot
    room: int
    look: Look
    let_go: Callable[[], None] = lambda: None
    unlocked: Mapping[str, KagemushaError] = field(default_factory=dict)
    warning: str | None = None


@dataclass(frozen=True)
class HeldSnapshot:
    """The driver's hold on a snapshot.

    Attributes:
        snapshot: what slices need.
        governor: grants turns to connect; every connection but the one that holds the snapshot needs a turn.
        check: proves that the snapshot is still held, or raises RunLost.
        unlocked: table → why it could not be locked, so that it is not to be read.
    """

    snapshot: Snapshot
    governor: Governor
    check: Callable[[], None]
    unlocked: Mapping[str, KagemushaError] = field(default_factory=dict)


def say_nothing(_step: str, _counts: dict[str, object]) -> None:
    """Says nothing."""


@contextmanager
def watched(source: SourceSettings, opened: OpenSnapshot, say: Say, every: float) -> Iterator[HeldSnapshot]:
    """Watches what a run reads, whatever the engine: a heartbeat, a governor, and CloudWatch where settings ask for it.

    Args:
        source: the settings.
        opened: what the engine keeps open.
        say: hears how the governor decides.
        every: seconds between heartbeats.
    """
    bounds = Bounds.of(source.max_connections, source.connections_share, opened.room, source.max_lag_seconds)
    governor = Governor(bounds, lambda allowed, reason: say("pace", {"slices_at_once": allowed, "reason": reason}))
    snapshot = opened.snapshot
    hold = Hold(source.hold_seconds, source.max_lag_seconds, snapshot.lost, say)

    def hear(pulse: Pulse) -> None:
        governor.hear(pulse)
        hold.hear(pulse)

    def lose(failure: RunLost) -> None:
        governor.lose(failure)
        opened.let_go()

    heart = Heartbeat(opened.look, hear, lose, every)
    heart.start()
    try:
        with watched_load(source, snapshot.reader, snapshot.endpoint.host, governor.loaded):
            yield HeldSnapshot(snapshot, governor, heart.check, opened.unlocked)
    finally:
        heart.stop()
