"""How a job ends: by an exit code for spark-submit, in words for Glue, which hands on a message and no exit code."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from typing import Final, Protocol

from etl.entry import attempted
from jobs.glue import runs_under_glue
from masking.errors import KagemushaError

_LONGEST: Final = 900  # Glue's messages are cut; ours keeps its first words, which say what is to be done


class Ended(Protocol):
    """How a run ended."""

    @property
    def exit_code(self) -> int:
        """0 published · 1 audit or leak stopped a table · 2 contract or settings must change · 3 run again."""

    @property
    def reason(self) -> str:
        """Why not 0, in names of tables and kinds of errors."""


def end(argv: Sequence[str], command: Callable[[], Ended]) -> None:
    """Runs a job's work and ends the process as its runtime understands it.

    Under Glue every way out but a normal return is a failure, whatever its code, so success returns. The state machine
    reads the words of a failure: `kagemusha exit 3` may be tried again.
    """
    ended = attempted(command)
    if not runs_under_glue(argv):
        sys.exit(ended.exit_code)
    if ended.exit_code:
        sys.exit(exit_text(ended.exit_code, reason_of(ended)))


def exit_text(code: int, reason: str) -> str:
    """Returns what Glue shows of a run that failed: one line, no value of a row."""
    return f"kagemusha exit {code}: {' '.join(reason.split())}"[:_LONGEST]


def reason_of(ended: Ended | KagemushaError) -> str:
    """Returns why a run did not end with 0."""
    return f"{type(ended).__name__}: {ended.what}" if isinstance(ended, KagemushaError) else ended.reason
