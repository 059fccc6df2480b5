"""Finds the process behind a connection, and kills it when it is one of ours."""

from __future__ import annotations

import os
import signal
from contextlib import suppress
from pathlib import Path

from scripts.fault_injection.proxy import Exchange, Fault

_TCP = Path("/proc/net/tcp")
JVM = "java"


class ProcessNotFound(Exception):
    """The process that was to be killed is not there, or not ours."""


def sender_of(port: int) -> int:
    """Returns the process that holds a loopback connection from this port.

    Raises:
        ProcessNotFound: there is none among those that we started.
    """
    local = f"0100007F:{port:04X}"  # 127.0.0.1, as the kernel writes it on a little-endian machine
    lines = [line.split() for line in _TCP.read_text(encoding="ascii").splitlines()[1:]]
    held = {f"socket:[{fields[9]}]" for fields in lines if fields[1] == local}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and _holds(entry, held) and is_ours(int(entry.name)):
            return int(entry.name)
    raise ProcessNotFound(f"no process of ours holds port {port}")


def _holds(entry: Path, sockets: set[str]) -> bool:
    with suppress(OSError):
        for descriptor in (entry / "fd").iterdir():
            with suppress(OSError):
                if str(descriptor.readlink()) in sockets:
                    return True
    return False


def ancestors(process: int) -> list[int]:
    """Returns a process's parent, its parent's parent, and so on."""
    found: list[int] = []
    while process > 1:
        with suppress(OSError):
            stat = Path(f"/proc/{process}/stat").read_text(encoding="utf-8", errors="replace")
            process = int(stat.rpartition(")")[2].split()[1])
            found.append(process)
            continue
        break
    return found


def is_ours(process: int) -> bool:
    """Tells whether we started a process, directly or not."""
    return os.getpid() in ancestors(process)


def session_members(session: int) -> set[int]:
    """Returns the running processes of a session: a job and all that it started."""
    found = set()
    for entry in Path("/proc").iterdir():
        with suppress(OSError):
            if entry.name.isdigit():
                stat = (entry / "stat").read_text(encoding="utf-8", errors="replace")
                fields = stat.rpartition(")")[2].split()
                if int(fields[3]) == session and fields[0] not in "ZX":
                    found.add(int(entry.name))
    return found


def kills_sender(exchange: Exchange) -> None:
    """The process that sent the request is killed before the server is asked."""
    os.kill(sender_of(exchange.sender), signal.SIGKILL)
    exchange.reset()


def kills_sender_after(exchange: Exchange) -> None:
    """The server does its work; the process that sent the request is killed before it hears of it."""
    sender = sender_of(exchange.sender)
    exchange.forward()
    os.kill(sender, signal.SIGKILL)
    exchange.reset()


def kills_daemon(exchange: Exchange) -> None:
    """The parent of Spark's Python workers is killed."""
    os.kill(ancestors(sender_of(exchange.sender))[0], signal.SIGKILL)
    exchange.reset()


def kills_jvm(exchange: Exchange) -> None:
    """The JVM above the worker that sent the request is killed: Spark itself."""
    above = [one for one in ancestors(sender_of(exchange.sender)) if name_of(one) == JVM]
    if not above:
        raise ProcessNotFound("no JVM is above the sender")
    os.kill(above[0], signal.SIGKILL)
    exchange.reset()


def kills_driver_of_worker(exchange: Exchange) -> None:
    """The driver above the worker that sent the request is killed."""
    sender = sender_of(exchange.sender)
    chain = ancestors(sender)
    jvm = next((number for number, one in enumerate(chain) if name_of(one) == JVM), None)
    if jvm is None or chain[jvm + 1] == os.getpid():
        raise ProcessNotFound("no driver of its own is above the sender")
    os.kill(chain[jvm + 1], signal.SIGKILL)
    exchange.reset()


KILLS: tuple[Fault, ...] = (kills_sender, kills_sender_after, kills_daemon, kills_jvm, kills_driver_of_worker)


def name_of(process: int) -> str:
    """Returns the name of a process's program (proc(5): comm); empty where it has ended."""
    with suppress(OSError):
        return Path(f"/proc/{process}/comm").read_text(encoding="utf-8").strip()
    return ""
