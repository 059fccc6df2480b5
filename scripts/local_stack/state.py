"""What the local stack remembers between two commands: its processes and their ports."""

from __future__ import annotations

import fcntl
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path

from scripts.local_stack.processes import Identity, free_port


class State:
    """The file `state.json` of one stack: for each part its process, and for each name its port.

    Every change is written at once, so a command that is killed leaves no process that the next one does not know.
    """

    def __init__(self, root: Path) -> None:
        self._file = root / "state.json"
        self._guard = threading.Lock()
        kept = json.loads(self._file.read_text(encoding="utf-8")) if self._file.exists() else {}
        self._processes = {part: Identity(**fields) for part, fields in kept.get("processes", {}).items()}
        self._ports: dict[str, int] = kept.get("ports", {})
        self._places: dict[str, str] = kept.get("places", {})

    def process(self, part: str) -> Identity | None:
        """Returns the process of a part when it still runs."""
        known = self._processes.get(part)
        return known if known and known.alive else None

    def started(self, part: str, process: Identity) -> None:
        """Remembers the process of a part."""
        with self._guard:
            self._processes[part] = process
            self._save()

    def stopped(self, part: str) -> None:
        """Forgets the process of a part."""
        with self._guard:
            self._processes.pop(part, None)
            self._save()

    def port(self, name: str) -> int | None:
        """Returns the port that was chosen for a name, if any was."""
        return self._ports.get(name)

    def choose_port(self, name: str) -> int:
        """Chooses a free port for a server that is about to start: the one it had before when that is free."""
        with self._guard:
            self._ports[name] = free_port(self._ports.get(name))
            self._save()
            return self._ports[name]

    def place(self, name: str) -> Path | None:
        """Returns the folder that was chosen for a name, if any was."""
        return Path(self._places[name]) if name in self._places else None

    def put_at(self, name: str, place: Path) -> Path:
        """Remembers the folder chosen for a name."""
        with self._guard:
            self._places[name] = str(place)
            self._save()
        return place

    def forget_place(self, name: str) -> None:
        """Forgets the folder of a name."""
        with self._guard:
            self._places.pop(name, None)
            self._save()

    def _save(self) -> None:
        processes = {part: asdict(process) for part, process in self._processes.items()}
        content = {"processes": processes, "ports": self._ports, "places": self._places}
        fresh = self._file.with_suffix(".new")
        fresh.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
        fresh.replace(self._file)


@contextmanager
def locked(root: Path) -> Iterator[State]:
    """Yields the state of the stack in `root` to one command at a time."""
    root.mkdir(parents=True, exist_ok=True)
    with (root / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield State(root)
