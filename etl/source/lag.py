"""Waits for a reader that is behind the writer, and refuses one that stays behind."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final

from etl.errors import NO_ROW_READ, ReaderLags

_SHORTEST_WAIT_SECONDS: Final = 0.2
_LONGEST_WAIT_SECONDS: Final = 5.0


def wait_until_fresh(
    lag_seconds: Callable[[], float], instance: str, most_seconds: float, wait_seconds: float, where: dict[str, object]
) -> None:
    """Returns as soon as the reader is at most `most_seconds` behind the writer; waits at most `wait_seconds` for it.

    It looks at least twice: a reader that was idle for an hour seems an hour old while it replays the next transaction.

    Raises:
        ReaderLags: it is further behind. No row was read.
    """
    deadline = time.monotonic() + max(wait_seconds, _SHORTEST_WAIT_SECONDS)
    pause = _SHORTEST_WAIT_SECONDS
    while True:
        lag = lag_seconds()
        if lag <= most_seconds:
            return
        left = deadline - time.monotonic()
        if left <= 0:
            break
        time.sleep(min(pause, left))
        pause = min(pause * 2, _LONGEST_WAIT_SECONDS)
    raise ReaderLags(
        f"The reader is {lag:.0f} s behind the writer; {most_seconds:g} s are allowed.",
        not_done=NO_ROW_READ,
        where={**where, "instance": instance},
    )
