"""Tries and the pauses between them: what may pass is tried again, and a worker's errors come back as values."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator
from itertools import islice
from typing import Final, TypeVar

from etl.errors import NOT_PUBLISHED, TRANSIENT, RunLost, SourceChanged, StatementTimedOut, Unexpected
from masking.errors import KagemushaError

TRIES: Final = 3
"""How often work is tried while its failures are transient."""
_NOT_RETRIED: Final = (RunLost, SourceChanged, StatementTimedOut)
"""Transient for the next run, but not for another try in this one."""
_FIRST_PAUSE_SECONDS: Final = 1.0

Done = TypeVar("Done")


def pauses(
    first: float, longest: float | None = None, deadline: float | None = None, factor: float = 2.0
) -> Iterator[float]:
    """Yields how long to wait before each further try, in seconds; ends where the next wait would be too late.

    Jitter keeps workers that failed together from coming back together: a pause is half to one and a half times as
    long as its turn.

    Args:
        first: the first turn's length.
        longest: the length at which turns stop growing.
        deadline: by `time.monotonic`; no turn that ends after it begins.
        factor: by how much each turn is longer than the one before.
    """
    length = first
    while deadline is None or time.monotonic() + length <= deadline:
        yield length * random.uniform(0.5, 1.5)  # noqa: S311  jitter, no secret
        length *= factor
        if longest is not None:
            length = min(length, longest)


def retry_transient(once: Callable[[], Done]) -> Done:
    """Returns what the work gives; transient failures are tried again, each after a longer pause with jitter.

    Raises:
        KagemushaError: the last failure.
    """
    for pause in islice(pauses(_FIRST_PAUSE_SECONDS, factor=4.0), TRIES - 1):
        try:
            return once()
        except KagemushaError as error:
            if error.exit_code != TRANSIENT or isinstance(error, _NOT_RETRIED):
                raise
        time.sleep(pause)
    return once()


def as_value(once: Callable[[], Done], **where: object) -> Done | KagemushaError:
    """Returns what the work gives, or its error instead of raising it, so that no traceback reaches Spark's logs."""
    try:
        return retry_transient(lambda: without_foreign_message(once))
    except KagemushaError as error:
        return error.at(**where)


def without_foreign_message(once: Callable[[], Done]) -> Done:
    """Turns a failure that no step foresaw into ours: its message could quote a value, so only its type is kept."""
    try:
        return once()
    except KagemushaError:
        raise
    except Exception as error:  # noqa: BLE001  see above
        kind = type(error).__name__
    raise Unexpected(f"A worker's task failed with {kind}.", not_done=NOT_PUBLISHED)
