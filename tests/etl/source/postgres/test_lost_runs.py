"""A run that loses its reader in the middle publishes nothing more, and says that another run may pass."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from etl.cloud.bigquery import Warehouse
from etl.progress import JsonLines
from etl.run.daily import daily_run
from etl.run.record.results import RunResult
from etl.settings import Settings
from scripts.local_stack.postgres import PRIMARY
from tests.etl.source.cluster import OURS, Cluster, pair_contracts
from tests.etl.source.conftest import DAY, Staging

pytestmark = [pytest.mark.stack, pytest.mark.usefixtures("spark")]
WAITING = f"EXISTS (SELECT FROM pg_stat_activity WHERE {OURS} AND wait_event_type = 'Lock')"
DATASET = "lost_runs"


class Trap:
    """Progress that, once tables are about to be staged, lets something happen to the reader before a slice is read.

    A lock on the tables would not hold slices up: the run holds locks of its own, and replay would wait for them.

    Args:
        happen: what happens to the reader.
    """

    def __init__(self, happen: Callable[[], None]) -> None:
        self._happen = happen
        self._lines = JsonLines(sys.stderr)
        self._sprung, self._over = threading.Lock(), threading.Event()

    def say(self, table: str, step: str, **counts: object) -> None:
        """Springs on the first table that is staged; the other waits until it is over."""
        self._lines.say(table, step, **counts)
        if step != "stage":
            return
        if self._sprung.acquire(blocking=False):
            try:
                self._happen()
            finally:
                self._over.set()
        self._over.wait()


@dataclass(frozen=True)
class Pair:
    """The two tables, where they are published, and how they are loaded."""

    cluster: Cluster
    settings: Settings
    contracts: Path

    def run(self, progress: Any = None, **changes: object) -> RunResult:
        """Loads both tables of the pair."""
        settings = self.cluster.settings(self.settings, **changes)
        return daily_run(settings, DAY, progress or JsonLines(sys.stderr), ("credits", "debits"), self.contracts)

    def published(self) -> dict[str, list[tuple[Any, ...]]]:
        """Returns what BigQuery holds of both: rows, their sum, and when it changed."""
        client = Warehouse.of(self.settings).client
        found = {}
        for table in ("credits", "debits"):
            sql = f"SELECT count(*), sum(amount), sum(id * amount) FROM {DATASET}.{table}"
            changed = client.get_table(f"{DATASET}.{table}").modified
            found[table] = [(*row, changed) for row in client.query_and_wait(sql)]
        return found


@pytest.fixture
def pair(cluster: Cluster, staging: Staging, tmp_path: Path) -> Pair:
    """Returns the pair, published."""
    pair_contracts(tmp_path / "schemas", DATASET)
    found = Pair(cluster, staging.settings, tmp_path / "schemas")
    if Warehouse.of(staging.settings).find_table(f"{DATASET}.debits") is None:
        assert found.run().exit_code == 0
    return found


def end_holder(cluster: Cluster) -> None:
    """Ends the session that holds the snapshot: the only one of ours that waits for its client."""
    cluster.end_sessions(f"{OURS} AND state = 'idle in transaction'")


@contextmanager
def nothing(_cluster: Cluster) -> Iterator[None]:
    """Lets nothing else go on."""
    yield


@contextmanager
def writers(cluster: Cluster) -> Iterator[None]:
    """Lets the business write, to a table that the run does not read."""
    with cluster.transferring("wide", "wide"):
        yield


@pytest.mark.parametrize(
    ("happen", "load", "error"),
    [(end_holder, nothing, "SnapshotLost"), (Cluster.promote, writers, "ReaderChanged")],
    ids=["snapshot lost", "promoted under load"],
)
def test_a_run_that_loses_its_reader_publishes_nothing(
    pair: Pair, happen: Callable[[Cluster], None], load: Callable[[Cluster], Any], error: str
) -> None:
    """Both tables fail as transient, exit code 3; what was published still serves."""
    before = pair.published()
    changed = "UPDATE pair.credits SET amount = amount + 7 RETURNING 1"
    pair.cluster.ask(PRIMARY, f"WITH changed AS ({changed}) SELECT count(*) FROM changed")
    trap = Trap(lambda: happen(pair.cluster))
    with load(pair.cluster):
        result = pair.run(trap)
    assert result.exit_code == 3
    assert {one.outcome for one in result.tables} == {f"failed: {error}"}
    assert all("The table was not published" in one.error for one in result.tables)
    assert pair.published() == before


def test_the_run_after_a_lost_one_publishes(pair: Pair) -> None:
    """Nothing has to be cleaned up: the next run, on a working reader, publishes what the lost one could not."""
    before = pair.published()
    assert pair.run().exit_code == 0
    after = pair.published()
    assert {table: [row[-1] for row in rows] for table, rows in after.items()} != {
        table: [row[-1] for row in rows] for table, rows in before.items()
    }
