"""One HTTP server of the local stack: started when it does not answer, left alone when it does."""

from __future__ import annotations

import signal
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from scripts.local_stack.answers import answers
from scripts.local_stack.processes import LocalStackFailed, spawn, stop, wait_until
from scripts.local_stack.state import State

_PATIENCE_TO_START = 30.0
_PATIENCE_TO_ANSWER = 5.0


@dataclass(frozen=True)
class WebServer:
    """A server with one port to ask.

    Args:
        part: its name in state, logs and messages.
        root: folder of the stack.
        state: what the stack remembers.
        probe: path that answers 200 once it is ready.
        launch: gives its command line and the variables it needs, once its port is chosen.
    """

    part: str
    root: Path
    state: State
    probe: str
    launch: Callable[[], tuple[Sequence[str], Mapping[str, str]]]

    def up(self) -> None:
        """Starts it when it does not run or does not answer, and returns once it answers."""
        if self.state.process(self.part):
            if wait_until(self.healthy, _PATIENCE_TO_ANSWER):
                return
            self.down()
        self.state.choose_port(self.part)
        log = self.root / "logs" / f"{self.part}.log"
        command, env = self.launch()
        self.state.started(self.part, spawn(command, log=log, env=env))
        if (
            not wait_until(lambda: self.healthy() or not self.state.process(self.part), _PATIENCE_TO_START)
            or not self.healthy()
        ):
            raise LocalStackFailed(
                f"{self.part} does not answer.", not_done="The local stack is not up.", where={"log": log}
            )

    def healthy(self) -> bool:
        """Tells whether our own process answers."""
        return bool(self.state.process(self.part)) and answers(self.state.port(self.part), self.probe)

    def down(self) -> None:
        """Stops it."""
        if process := self.state.process(self.part):
            stop(process, signal.SIGTERM)
        self.state.stopped(self.part)
