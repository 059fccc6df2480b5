"""The driver's heartbeat: a look at the source every few seconds, so that a loss is noticed before a slice fails."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Final, Generic, TypeVar

from etl.errors import NOT_PUBLISHED, RunLost

EVERY_SECONDS: Final = 2.0
"""More often than any NAT or load balancer forgets an idle connection."""

Seen = TypeVar("Seen")


class Heartbeat(Generic[Seen]):
    """Looks again and again, until it is stopped or something is lost; for any engine.

    Args:
        look: takes one look, in bounded time; None when `stopped` became true meanwhile.
        hear: is called with what each look saw.
        lose: is called once, with what was lost.
        every: seconds between looks.
    """

    def __init__(
        self,
        look: Callable[[Callable[[], bool]], Seen | None],
        hear: Callable[[Seen], None],
        lose: Callable[[RunLost], None],
        every: float = EVERY_SECONDS,
    ) -> None:
        self._look, self._hear, self._lose, self._every = look, hear, lose, every
        self._changed = threading.Condition()
        self._begun = self._done = 0
        self._asked = self._stopping = False
        self._failure: RunLost | None = None
        self._thread = threading.Thread(target=self._run, name="heartbeat", daemon=True)

    def start(self) -> None:
        """Starts looking."""
        self._thread.start()

    def stop(self) -> None:
        """Stops looking, soon."""
        with self._changed:
            self._stopping = True
            self._changed.notify_all()
        self._thread.join()

    def check(self) -> None:
        """Returns when a look that began after this call found everything in place.

        Raises:
            RunLost: it did not, or an earlier one did not.
        """
        with self._changed:
            wanted = self._begun + 1
            self._asked = True
            self._changed.notify_all()
            self._changed.wait_for(lambda: self._failure or self._stopping or self._done >= wanted)
            failure = self._failure
        if failure is not None:
            raise failure.at()

    def _run(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._asked or self._stopping, self._every)
                if self._stopping:
                    return
                self._asked = False
                self._begun += 1
            failure: RunLost | None = None
            try:
                seen = self._look(lambda: self._stopping)
                if seen is not None:
                    self._hear(seen)
            except RunLost as error:
                failure = error
            except Exception as error:  # noqa: BLE001  else those who wait for a look would wait for ever
                failure = RunLost(f"The heartbeat failed with {type(error).__name__}.", not_done=NOT_PUBLISHED)
            if failure is not None:
                self._lose(failure)
            with self._changed:
                self._failure, self._done = failure, self._begun
                self._changed.notify_all()
                if failure is not None:
                    return
