"""The Cloud Storage server of the local stack and its bucket."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

from scripts.local_stack.answers import create
from scripts.local_stack.state import State
from scripts.local_stack.web_server import WebServer

PART = "storage"
BUCKET = "kagemusha-stage"
_LAUNCHER = Path(__file__).with_name("storage_launcher.py")


class Storage:
    """Cloud Storage with one bucket; objects are plain files under `<root>/storage/.cloudstorage/<bucket>`."""

    def __init__(self, root: Path, state: State) -> None:
        self._data = root / "storage"
        self._state = state
        self._server = WebServer(
            part=PART,
            root=root,
            state=state,
            probe="/",
            launch=lambda: ([sys.executable, str(_LAUNCHER), str(state.port(PART)), str(self._data)], {}),
        )

    @property
    def objects(self) -> Path:
        """Returns the folder that holds a folder a bucket."""
        return self._data / ".cloudstorage"

    def up(self) -> None:
        """Starts the server and creates the bucket."""
        self._server.up()
        policy = {"retentionDurationSeconds": "0"}  # deleted means deleted; a second copy would fill the disk
        create(
            self._state.port(PART),
            "/storage/v1/b",
            {"name": BUCKET, "location": "ASIA-NORTHEAST1", "softDeletePolicy": policy},
        )

    def healthy(self) -> bool:
        """Tells whether it answers."""
        return self._server.healthy()

    def down(self) -> None:
        """Stops the server."""
        self._server.down()

    def wipe(self) -> None:
        """Removes every object."""
        shutil.rmtree(self._data, ignore_errors=True)
