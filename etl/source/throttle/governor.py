"""The governor: as many connections at once as the endpoint bears, over all tables of a run; fewer while it struggles.

Additive increase, multiplicative decrease: a strained reader is given half of the load at once, and gets it back one
by one. Nothing here knows an engine: who reads tells what it met, and the heartbeat tells what it saw.
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
"""The share of the server's sessions that we never take away from others: below it we back off."""


@dataclass(frozen=True)
class Pulse:
    """One look at the reader.

    Attributes:
        reads_only: it is a reader still.
        lag_seconds: how far it is behind the writer.
        sessions: of everybody.
        others: of other runs of ours.
    """

    reads_only: bool
    lag_seconds: float
    sessions: int
    others: int


@dataclass(frozen=True)
class Bounds:
    """What the governor keeps to.

    Attributes:
        connections: of this run at once, the one that holds the snapshot included.
        room: sessions that the server takes at all.
        lag_seconds: above it the reader is strained.
        calm_seconds: so long without a strain is rewarded with one more connection, and so long one strain counts once.
    """

    connections: int
    room: int
    lag_seconds: float
    calm_seconds: float = 4.0

    @classmethod
    def of(cls, most: int, share: float, room: int, lag_seconds: float) -> Bounds:
        """Returns the bounds of the settings on a server: never more than a share of its room, never less than two."""
        return cls(max(2, min(most, int(room * share))), room, lag_seconds)


class Governor:
    """Gives turns to whoever wants to connect, and takes back what the reader cannot bear.

    Args:
        bounds: what it keeps to.
        tell: hears of every change: how many are allowed now, and why.
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
        """How many turns are given at once, at this moment."""
        return max(1, min(self._allowed, self.most - self._others))

    @contextmanager
    def turn(self) -> Iterator[None]:
        """Waits for a turn and holds it; whoever holds one must not wait for another.

        Raises:
            RunLost: what the run stands on is gone, so that nobody needs a turn any more.
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
        """Halves the turns; signs of one and the same strain count once."""
        with self._changed:
            now = time.monotonic()
            if now - self._last_strain < self._bounds.calm_seconds and self._allowed < self.most:
                return
            before, self._allowed = self._allowed, max(1, self._allowed // 2)
            self._last_strain = self._last_reward = now
        if self._allowed != before:
            self._tell(self._allowed, reason)

    def hear(self, pulse: Pulse) -> None:
        """Judges a look at the reader: backs off from a lagging or crowded one, gives a calm one another turn."""
        self._behind = self._behind + 1 if pulse.lag_seconds > self._bounds.lag_seconds else 0
        with self._changed:
            self._others = pulse.others
            self._changed.notify_all()
        if self._behind > 1:  # one look alone can meet a reader that was idle for long
            self.strained("the reader lags")
        elif pulse.sessions > self._bounds.room * (1 - _RESERVE):
            self.strained("the reader's connections run out")
        elif not self._behind:
            self._reward()

    def loaded(self, reason: str) -> None:
        """Backs off from a reader whose load is above a limit, and rewards nothing until it is told of none."""
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
