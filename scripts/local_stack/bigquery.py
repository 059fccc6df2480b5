"""The BigQuery server of the local stack, its project and the datasets that exist before any run."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from scripts.local_stack.answers import create
from scripts.local_stack.processes import LOOPBACK, LocalStackFailed
from scripts.local_stack.state import State
from scripts.local_stack.web_server import WebServer

PART = "bigquery"
PROJECT = "local-project"
LOCATION = "asia-northeast1"
VIEWS_DATASET, OPS_DATASET = "looker", "ops"
_CHECKOUT = Path(__file__).resolve().parents[2]
_LAUNCHER = Path(__file__).with_name("bigquery_launcher.py")
_DATASETS = f"/bigquery/v2/projects/{PROJECT}/datasets"


class BigQuery:
    """BigQuery, which reads staged objects from the storage server's files.

    Args:
        root: folder of the stack.
        state: what the stack remembers.
        objects: folder of the storage server's buckets.
    """

    def __init__(self, root: Path, state: State, objects: Path) -> None:
        self._data = root / "bigquery"
        self._objects = objects
        self._state = state
        self._server = WebServer(
            part=PART,
            root=root,
            state=state,
            probe=_DATASETS,
            launch=self._launch,
        )

    def up(self) -> None:
        """Starts the server and creates the datasets for views and for the ledger."""
        self._server.up()
        for dataset in (VIEWS_DATASET, OPS_DATASET):
            name = {"projectId": PROJECT, "datasetId": dataset}
            create(self._state.port(PART), _DATASETS, {"datasetReference": name, "location": LOCATION})

    def healthy(self) -> bool:
        """Tells whether it answers."""
        return self._server.healthy()

    def down(self) -> None:
        """Stops the server."""
        self._server.down()

    def wipe(self) -> None:
        """Removes every dataset."""
        shutil.rmtree(self._data, ignore_errors=True)

    def _launch(self) -> tuple[list[str], dict[str, str]]:
        python = _interpreter()
        ports = {"--port": self._state.port(PART), "--grpc-port": self._state.choose_port(f"{PART}-grpc")}
        data = self._data / "duckdb"  # beside what an earlier server kept in DuckLake, which this one could not read
        names = {"--host": LOOPBACK, "--project": PROJECT, "--dataset": "unused", "--data-dir": data}
        options = (word for option, value in {**ports, **names}.items() for word in (option, str(value)))
        home = python.parents[1]  # where DuckDB keeps its extensions: in the environment they belong to
        return [str(python), str(_LAUNCHER), *options], {"GCS_LOCAL_ROOT": str(self._objects), "HOME": str(home)}


def _interpreter() -> Path:
    """Returns the Python 3.13 that has the BigQuery server installed."""
    found = Path(os.environ.get("KAGEMUSHA_BIGQUERY_PYTHON", _CHECKOUT / ".venv-bigquery/bin/python"))
    if not found.exists():
        raise LocalStackFailed(
            "The BigQuery server is not installed.",
            not_done="Nothing was started.",
            advice="Run `make bootstrap`, or set KAGEMUSHA_BIGQUERY_PYTHON to a Python that has it.",
            where={"missing": found},
        )
    return found
