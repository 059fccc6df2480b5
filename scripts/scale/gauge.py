"""Measures a command from outside: time, processor time by kind of process, memory, threads."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

from scripts.fault_injection.processes import session_members

_PAUSE_SECONDS: Final = 0.2
_TICKS: Final = os.sysconf("SC_CLK_TCK")
_MIB_OF_KIB: Final = 1024
_JVM: Final = "java"


@dataclass(frozen=True)
class Cost:
    """What one command cost.

    Attributes:
        wall: seconds from start to end.
        driver: processor seconds of the driver's Python.
        jvm: processor seconds of Spark's JVM.
        workers: processor seconds of Spark's Python workers; of one that lives shorter than a fifth of a second, none.
        peak_mib: the largest resident memory of the driver's Python.
        jvm_mib: the same of the JVM.
        threads: the most threads that the driver's Python had at once.
        requests: server → how many requests, or transactions of the source, it got.
    """

    wall: float
    driver: float
    jvm: float
    workers: float
    peak_mib: int
    jvm_mib: int
    threads: int
    requests: Mapping[str, int]

    @property
    def cpu(self) -> float:
        """Processor seconds of all processes."""
        return self.driver + self.jvm + self.workers

    def to_json(self) -> dict[str, object]:
        """Returns the cost as JSON spells it."""
        return {**asdict(self), "requests": dict(self.requests)}


@dataclass
class _Seen:
    """What was last seen of one process."""

    name: str
    seconds: float = 0.0
    threads: int = 0
    peak_mib: int = 0


def watched(command: Sequence[str], environment: Mapping[str, str], log: Path) -> tuple[Cost, int]:
    """Runs a command to its end; returns its cost, without requests, and its exit code.

    Args:
        command: program and arguments.
        environment: all of its variables.
        log: file that takes what it prints.
    """
    seen: dict[int, _Seen] = {}
    began = time.monotonic()
    with (
        log.open("ab") as output,
        subprocess.Popen(
            list(command), env=dict(environment), stdout=output, stderr=output, start_new_session=True
        ) as job,
    ):
        while job.poll() is None:
            for process in session_members(job.pid):
                with suppress(OSError, ValueError):
                    _look(process, seen)
            time.sleep(_PAUSE_SECONDS)
        wall = time.monotonic() - began
    driver = seen.pop(job.pid)
    jvms = [one for one in seen.values() if one.name == _JVM]
    cost = Cost(
        wall=round(wall, 2),
        driver=round(driver.seconds, 2),
        jvm=round(sum(one.seconds for one in jvms), 2),
        workers=round(sum(one.seconds for one in seen.values() if one.name != _JVM), 2),
        peak_mib=driver.peak_mib,
        jvm_mib=max((one.peak_mib for one in jvms), default=0),
        threads=driver.threads,
        requests={},
    )
    return cost, job.returncode


def _look(process: int, seen: dict[int, _Seen]) -> None:
    """Remembers what the kernel tells of a process (proc(5): stat, status)."""
    head, _, tail = Path(f"/proc/{process}/stat").read_text(encoding="utf-8", errors="replace").rpartition(")")
    fields = tail.split()
    told = dict(line.split(":", 1) for line in Path(f"/proc/{process}/status").read_text(encoding="utf-8").splitlines())
    one = seen.setdefault(process, _Seen(""))
    one.name = head.partition("(")[2]
    one.seconds = (int(fields[11]) + int(fields[12])) / _TICKS
    one.threads = max(one.threads, int(fields[17]))
    if peak := told.get("VmHWM"):  # a process that has ended and is not reaped has no memory any more
        one.peak_mib = max(one.peak_mib, int(peak.split()[0]) // _MIB_OF_KIB)
