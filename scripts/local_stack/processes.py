"""Starts server processes that outlive us, and stops exactly those that we started."""

from __future__ import annotations

import os
import pwd
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from masking.errors import KagemushaError

LOOPBACK = "127.0.0.1"
_PATIENCE_TO_STOP = 15.0
_POLL = 0.02
_ENDED = -1  # no process started at this tick, so one that ended at once is never taken for alive


class LocalStackFailed(KagemushaError):
    """A part of the local stack cannot start, answer or stop."""

    advice = "Read the part's log; `kagemusha local reset` begins again with empty data."


@dataclass(frozen=True)
class Identity:
    """A process that cannot be mistaken for another one that got the same number later.

    Args:
        pid: its number.
        ticks: when the kernel started it, in clock ticks since boot.
        boot: the boot it belongs to.
    """

    pid: int
    ticks: int
    boot: str

    @classmethod
    def of(cls, pid: int) -> Identity | None:
        """Returns the identity of a running process; None when there is none, or when only its exit status is left."""
        try:
            stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
            boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
        except (FileNotFoundError, ProcessLookupError):
            return None
        fields = stat.rpartition(")")[2].split()  # the name before it may hold anything
        state, ticks = fields[0], int(fields[19])
        return None if state in "ZX" else cls(pid, ticks, boot)

    @property
    def alive(self) -> bool:
        """Tells whether this very process runs."""
        with suppress(ChildProcessError):  # a child of ours that ended is to be reaped
            os.waitpid(self.pid, os.WNOHANG)
        return Identity.of(self.pid) == self


def spawn(
    command: Sequence[str], *, log: Path, user: str | None = None, env: Mapping[str, str] | None = None
) -> Identity:
    """Starts a server that lives on without us, its output appended to `log`.

    Args:
        command: program and arguments.
        log: file that takes what it prints.
        user: name of the account to run it as; our own when None.
        env: variables set in addition to ours.
    """
    uid, gid, groups = _account(user)
    with log.open("ab") as output:
        process = subprocess.Popen(
            list(command),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            cwd="/",
            env={**os.environ, **(env or {})},
            user=uid,
            group=gid,
            extra_groups=groups,
        )
    process.returncode = 0  # it is meant to outlive this object; without this Python warns that it still runs
    return Identity.of(process.pid) or Identity(process.pid, _ENDED, "")


def run(command: Sequence[str], *, log: Path, user: str | None = None) -> int:
    """Runs a program to its end and gives its exit status; see `spawn` for the arguments."""
    uid, gid, groups = _account(user)
    with log.open("ab") as output:
        done = subprocess.run(
            list(command), check=False, stdout=output, stderr=output, cwd="/", user=uid, group=gid, extra_groups=groups
        )
    return done.returncode


def _account(user: str | None) -> tuple[int | None, int | None, list[int] | None]:
    if user is None:
        return None, None, None
    account = pwd.getpwnam(user)
    return account.pw_uid, account.pw_gid, []


def stop(process: Identity, how: signal.Signals = signal.SIGTERM) -> None:
    """Asks the process to end with `how`, and kills it when it does not within 15 seconds."""
    for attempt in (how, signal.SIGKILL):
        if not process.alive:
            return
        with suppress(ProcessLookupError):
            os.kill(process.pid, attempt)
        if wait_until(lambda: not process.alive, _PATIENCE_TO_STOP):
            return
    raise LocalStackFailed("A process does not end.", not_done="It still runs.", where={"pid": process.pid})


def wait_until(ready: Callable[[], bool], seconds: float) -> bool:
    """Asks `ready` again and again until it says yes; gives False when it did not within `seconds`."""
    end = time.monotonic() + seconds
    while not ready():
        if time.monotonic() > end:
            return False
        time.sleep(_POLL)
    return True


def free_port(preferred: int | None = None) -> int:
    """Returns a loopback port that nobody listens on: the preferred one when it is free."""
    for port in (preferred, 0):
        if port is None:
            continue
        with socket.socket() as probe, suppress(OSError):
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((LOOPBACK, port))
            found: int = probe.getsockname()[1]
            return found
    raise LocalStackFailed("No loopback port is free.", not_done="Nothing was started.")
