"""Waits for a reader that is behind the writer, and refuses one that stays behind."""

from __future__ import annotations

import time
from collections.abc import Callable
from math import isfinite
from typing import ClassVar, Final

from etl.errors import NO_ROW_READ, TRANSIENT
from etl.retries import pauses
from masking.errors import KagemushaError

_SHORTEST_WAIT_SECONDS: Final = 0.2
_LONGEST_WAIT_SECONDS: Final = 5.0


class ReaderLags(KagemushaError):
    """The reader is further behind the writer than the settings allow."""

    advice = "Run again when the reader has caught up; [source].lag_wait_seconds says how long a run waits for it."
    exit_code: ClassVar[int] = TRANSIENT


def wait_until_fresh(
    lag_seconds: Callable[[], float], instance: str, most_seconds: float, wait_seconds: float, where: dict[str, object]
) -> None:
    """Returns as soon as the reader is at most `most_seconds` behind the writer; waits at most `wait_seconds` for it.

    It looks at least twice: a reader that was idle for an hour seems an hour old while it replays the next transaction.

    Raises:
        ReaderLags: it is further behind. No row was read.
    """
    deadline = time.monotonic() + max(wait_seconds, _SHORTEST_WAIT_SECONDS)
    for pause in pauses(_SHORTEST_WAIT_SECONDS, _LONGEST_WAIT_SECONDS):
        lag = lag_seconds()
        if lag <= most_seconds:
            return
        left = deadline - time.monotonic()
        if left <= 0:
            break
        time.sleep(min(pause, left))
    behind = f"is {lag:.0f} s behind the writer" if isfinite(lag) else "follows the writer no longer"
    raise ReaderLags(
        f"The reader {behind}; {most_seconds:g} s are allowed.",
        not_done=NO_ROW_READ,
        where={**where, "instance": instance},
    )
