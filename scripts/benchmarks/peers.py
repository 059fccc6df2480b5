"""Other tools that read the same rows and columns, unmasked, into Parquet, each in the environment .venv-peers."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from etl.plan import TablePlan
from scripts.benchmarks.ground import FOLDER, ROOT, with_password

PYTHON: Final = ROOT / ".venv-peers" / "bin" / "python"
_JOB: Final = Path(__file__).with_name("peer_job.py")
_VERSIONS: Final = "import importlib.metadata as m, sys; print(m.version(sys.argv[1]))"


@dataclass(frozen=True)
class Peer:
    """Another tool; what it does with the rows, its job says (`peer_job.py`).

    Attributes:
        title: what a reader calls it.
        packages: those whose versions matter.
    """

    title: str
    packages: tuple[str, ...]


PEERS: Final[Mapping[str, Peer]] = {
    "duckdb": Peer(
        "DuckDB's postgres scanner",
        ("duckdb", "duckdb-extension-postgres-scanner"),
    ),
    "dlt_connectorx": Peer(
        "dlt, ConnectorX",
        ("dlt", "connectorx"),
    ),
    "dlt_pyarrow": Peer(
        "dlt, pyarrow",
        ("dlt", "pyarrow", "psycopg2-binary"),
    ),
}

ABSENT: Final = {
    "ingestr": "its package only starts a program, which it fetches from GitHub when it first runs",
    "Sling": "it writes Parquet by a DuckDB program, which it fetches from GitHub when it first runs",
}
"""Tool → why it is not measured."""


@dataclass(frozen=True)
class PeerLoad:
    """How long one load by a peer took, and how much it wrote."""

    rows: int
    seconds: float
    bytes: int


@lru_cache(maxsize=1)
def versions() -> dict[str, dict[str, str]]:
    """Returns, for every peer that is installed, its packages' versions."""
    found = {}
    for name, peer in PEERS.items():
        told = [_version(package) for package in peer.packages]
        if all(told):
            found[name] = dict(zip(peer.packages, told, strict=True))
        else:
            print(f"{peer.title}: left out, it is not in .venv-peers (scripts/bootstrap.sh peers makes it)")
    return found


def _version(package: str) -> str:
    if not PYTHON.exists():
        return ""
    asked = subprocess.run([PYTHON, "-c", _VERSIONS, package], capture_output=True, text=True, check=False)
    return asked.stdout.strip()


def load_by(name: str, url: str, plan: TablePlan) -> PeerLoad | None:
    """Loads the planned columns of the whole table by a peer; None when it could not, and a line says so.

    Args:
        name: of the peer.
        url: of the source.
        plan: of all rows of the table.
    """
    schema, _, table = plan.contract.source.partition(".")
    FOLDER.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(dir=FOLDER) as folder:
        task = {
            "peer": name,
            "url": with_password(url),
            "schema": schema,
            "table": table,
            "columns": list(plan.contract.selected),
            "folder": folder,
        }
        done = subprocess.run(
            [PYTHON, _JOB], input=json.dumps(task), cwd=folder, capture_output=True, text=True, check=False
        )
        if done.returncode:
            (FOLDER / f"{name}.log").write_text(done.stderr, encoding="utf-8")
            print(f"{PEERS[name].title}: left out, it failed; see {FOLDER / f'{name}.log'}", file=sys.stderr)
            return None
        return PeerLoad(**json.loads(done.stdout.splitlines()[-1]))
