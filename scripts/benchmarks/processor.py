"""Processor time of everything that a load keeps busy: its driver, JVM and workers, and the servers beside it."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Final

from scripts.fault_injection.processes import JVM, ancestors, name_of

_TICKS: Final = os.sysconf("SC_CLK_TCK")
OURS: Final = ("driver", "jvm", "workers")

Seconds = Mapping[str, float]
"""Part → processor seconds."""


def server_processes(stack: Path) -> dict[str, int]:
    """Returns the processes that a local stack's servers descend from; both PostgreSQL servers have their own."""
    kept = json.loads((stack / "state.json").read_text(encoding="utf-8"))["processes"]
    return {part: fields["pid"] for part, fields in kept.items()}


def processor_seconds(servers: Mapping[str, int]) -> dict[str, float]:
    """Returns what has been spent so far by this process, the JVM and the workers below it, and by servers.

    A process that has ended counts with the parent that waited for it (proc(5): cutime), as PostgreSQL and Spark's
    daemon of workers do.

    Args:
        servers: name → the process that all of a server's descend from.
    """
    roots = {process: name for name, process in servers.items()}
    spent = dict.fromkeys((*OURS, *servers), 0.0)
    for process in _living():
        if part := _part(process, roots):
            with suppress(OSError):
                stat = Path(f"/proc/{process}/stat").read_text(encoding="utf-8", errors="replace")
                fields = stat.rpartition(")")[2].split()
                spent[part] += sum(map(int, fields[11:15])) / _TICKS
    return spent


def difference(before: Seconds, after: Seconds) -> dict[str, float]:
    """Returns what was spent between two looks."""
    return {part: round(max(0.0, seconds - before[part]), 2) for part, seconds in after.items()}


def largest_worker_mib() -> int:
    """Returns the largest resident memory that a living worker ever had (proc(5): VmHWM); 0 where none lives."""
    return max((peak_mib(one) for one in _living() if _part(one, {}) == "workers"), default=0)


def peak_mib(process: int) -> int:
    """Returns the largest resident memory of a process (proc(5): VmHWM); 0 where it has ended."""
    with suppress(OSError):
        for line in Path(f"/proc/{process}/status").read_text(encoding="utf-8", errors="replace").splitlines():
            if line.startswith("VmHWM"):
                return int(line.split()[1]) // 1024
    return 0


def _living() -> list[int]:
    return [int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit()]


def _part(process: int, roots: Mapping[int, str]) -> str:
    """Returns what a process belongs to; empty for a stranger."""
    line = [process, *ancestors(process)]
    for one in line:
        if one in roots:
            return roots[one]
    if os.getpid() not in line:
        return ""
    below = line[: line.index(os.getpid())]
    if not below:
        return "driver"
    if name_of(process) == JVM:
        return "jvm"
    return "workers" if any(name_of(one) == JVM for one in below) else "driver"
