"""The governor: as many connections at once as the endpoint can bear, over all tables of a run; fewer under strain.

Additive increase, multiplicative decrease: the load of a strained reader is halved at once and grows back one
connection at a time. Nothing here depends on an engine: slices and the heartbeat report what they see.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

from etl.errors import RunLost

_RESERVE: Final = 0.1
"""The share of the server's sessions that is left to others: when fewer are free, we back off."""


@dataclass(frozen=True)
class Pulse:
    """One look at the reader.

    Attributes:
        reads_only: whether it is still a reader.
        lag_seconds: how far it is behind the writer.
        sessions: all of the server's.
        others: those of other runs of ours.
        replay_waits: whether its replay of the writer's changes waits for a lock of this run.
    """

    reads_only: bool
    lag_seconds: float
    sessions: int
    others: int
    replay_waits: bool = False


@dataclass(frozen=True)
class Bounds:
    """The limits that the governor keeps.

    Attributes:
        connections: of this run at once, including the one that holds the snapshot.
        room: how many sessions the server takes.
        lag_seconds: a lag above which the reader is strained.
        calm_seconds: seconds without strain before a connection is added; strains within them count as one.
    """

    connections: int
    room: int
    lag_seconds: float
    calm_seconds: float = 4.0

    @classmethod
    def of(cls, most: int, share: float, room: int, lag_seconds: float) -> Bounds:
        """Returns the settings' bounds on a server: at most a share of its room, and at least two connections."""
        return cls(max(2, min(most, int(room * share))), room, lag_seconds)


class Governor:
    """Grants turns to connect, as many at once as the reader can bear.

    Args:
        bounds: its limits.
        tell: is called on every change with how many turns are allowed now, and why.
    """

    def __init__(self, bounds: Bounds, tell: Callable[[int, str], None] = lambda _allowed, _reason: None) -> None:
        self._bounds, self._tell = bounds, tell
        self.most: Final = bounds.connections - 1  # one holds the snapshot
        self._allowed = self.most
        self._running = self._others = self._behind = 0
        self._changed = threading.Condition()
        self._last_strain = self._last_reward = time.monotonic()
        self._loaded = False
        self._lost: RunLost | None = None

    @property
    def allowed(self) -> int:
        """How many turns may be held at once, at this moment."""
        return max(1, min(self._allowed, self.most - self._others))

    @contextmanager
    def turn(self) -> Iterator[None]:
        """Waits for a turn and holds it; a thread that holds one must not wait for another.

        Raises:
            RunLost: what the run reads is gone, so that no turn is needed any more.
        """
        with self._changed:
            self._changed.wait_for(lambda: self._lost or self._running < self.allowed)
            if self._lost is not None:
                raise self._lost.at()
            self._running += 1
        try:
            yield
        finally:
            with self._changed:
                self._running -= 1
                self._changed.notify_all()

    def strained(self, reason: str) -> None:
        """Halves the turns; signs of the same strain count as one."""
        with self._changed:
            now = time.monotonic()
            if now - self._last_strain < self._bounds.calm_seconds and self._allowed < self.most:
                return
            before, self._allowed = self._allowed, max(1, self._allowed // 2)
            self._last_strain = self._last_reward = now
        if self._allowed != before:
            self._tell(self._allowed, reason)

    def hear(self, pulse: Pulse) -> None:
        """Judges a look at the reader: backs off if it lags or is crowded, adds a turn if it is calm."""
        self._behind = self._behind + 1 if pulse.lag_seconds > self._bounds.lag_seconds else 0
        with self._changed:
            self._others = pulse.others
            self._changed.notify_all()
        if pulse.replay_waits:
            self.strained("the reader's replay waits for this run")
        elif self._behind > 1:  # a single look can find a reader that was idle for long
            self.strained("the reader lags")
        elif pulse.sessions > self._bounds.room * (1 - _RESERVE):
            self.strained("the reader's connections run out")
        elif not self._behind:
            self._reward()

    def loaded(self, reason: str) -> None:
        """Backs off, and adds no turn while the reader's load is above a limit; an empty reason says that it is not."""
        self._loaded = bool(reason)
        if reason:
            self.strained(reason)

    def lose(self, failure: RunLost) -> None:
        """Ends every wait for a turn with an error."""
        with self._changed:
            self._lost = self._lost or failure
            self._changed.notify_all()

    @property
    def lost(self) -> RunLost | None:
        """What was lost, if anything was."""
        return self._lost

    def _reward(self) -> None:
        with self._changed:
            now = time.monotonic()
            if self._loaded or self._allowed >= self.most or now - self._last_reward < self._bounds.calm_seconds:
                return
            self._allowed += 1
            self._last_reward = now
            self._changed.notify_all()
        self._tell(self._allowed, "the reader is calm")
