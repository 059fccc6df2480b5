"""Bounds what a run holds: for how long at most, and how long a change of a table may wait for its locks."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final

from etl.errors import RunLost
from etl.source.throttle.governor import Pulse

_WAITS: Final = "The reader's replay waits for this run's locks: somebody changes a table that is read."


class Hold:
    """Judges, at each look at the reader, whether a run may go on holding its snapshot and its locks.

    Args:
        most_seconds: how long they may be held.
        lag_seconds: how long the replay of a change may wait for them: meanwhile the reader falls behind.
        lost: makes the error of a snapshot that is let go, from the reason.
        say: hears once of each wait.
    """

    def __init__(
        self,
        most_seconds: float,
        lag_seconds: float,
        lost: Callable[[str], RunLost],
        say: Callable[[str, dict[str, object]], None],
    ) -> None:
        self._most, self._lag, self._lost, self._say = most_seconds, lag_seconds, lost, say
        self._since = time.monotonic()
        self._waiting_since: float | None = None

    def hear(self, pulse: Pulse) -> None:
        """Hears what a look at the reader saw.

        Raises:
            RunLost: everything is to be let go.
        """
        now = time.monotonic()
        if now - self._since > self._most:
            raise self._lost(f"it was held for {self._most:g} s, as long as [source].hold_seconds allows")
        if not pulse.replay_waits:
            self._waiting_since = None
            return
        if self._waiting_since is None:
            self._waiting_since = now
            self._say("warning", {"warning": _WAITS})
        if now - self._waiting_since > self._lag:
            raise self._lost(f"the reader's replay has waited for it for {self._lag:g} s")
