"""The field on which faults are injected: a local stack, a very small issuer, and what BigQuery should hold.

The source has two states, and turning it changes every destination's rows. So what is published before a trial is
yesterday's, what an undisturbed run makes of the source is today's, and after a trial today's is the next yesterday's.
"""

from __future__ import annotations

import json
import threading
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from typing import Final

from etl.clock import now
from etl.cloud.bigquery import Warehouse
from etl.cloud.storage import StagingBucket, delete_expired, is_record
from etl.ledger import Ledger, all_leases
from etl.progress import Progress
from etl.run.daily import daily_run
from etl.run.record.results import RunResult
from etl.settings import Settings
from schemas.contract import Contract
from scripts.fault_injection.database import Database
from scripts.fault_injection.proxy import FaultProxy
from scripts.fault_injection.token_service import TokenService
from scripts.local_stack.local_stack import Endpoints, LocalStack
from scripts.local_stack.processes import wait_until

ROOT: Final = Path(__file__).resolve().parents[2]
DAY: Final = date(2023, 8, 30)
LEAVER: Final = 61
"""A follower whom no turn of the source changes; who leaves while a run is disturbed is not missed by readers."""
MOVES_ON: Final = "updated_at"
"""Every change moves it forward, so it never is again what it was; it is not compared."""
_PATIENCE_SECONDS: Final = 60

Rows = Mapping[str, Counter[str]]
"""The rows of every destination: a table, or one business day of it."""


class Silent:
    """Hears of every step and says nothing."""

    def say(self, table: str, step: str, **counts: object) -> None:
        """A table reached a step."""


@dataclass
class Field:
    """A running field; see the module.

    Attributes:
        ends: of its stack.
        settings: of an undisturbed run.
        disturbed: the settings file of a run that meets the faults.
        folder: of the contracts.
        database: the source.
        storage: the proxy before Cloud Storage.
        bigquery: the proxy before BigQuery.
        tokens: Google's and AWS's logins.
        contracts: of the folder.
        warehouse: BigQuery itself.
        stage: the bucket itself.
        strangers: objects that were in the bucket before.
        unseen: columns that are not compared.
        stack: where it is nobody else's.
        yesterday: what is published before a trial.
        today: what a run makes of the source.
        tables: what an undisturbed run leaves.
        meanwhile: what still happens in the background.
        doing: held while something happens outside, so that one thing does not come into the middle of another.
    """

    ends: Endpoints
    settings: Settings
    disturbed: Path
    folder: Path
    database: Database
    storage: FaultProxy
    bigquery: FaultProxy
    tokens: TokenService
    contracts: Mapping[str, Contract]
    warehouse: Warehouse
    stage: StagingBucket
    strangers: frozenset[str]
    unseen: frozenset[str]
    stack: LocalStack | None = None
    yesterday: Rows = field(default_factory=dict)
    today: Rows = field(default_factory=dict)
    tables: frozenset[str] = frozenset()
    meanwhile: list[threading.Thread] = field(default_factory=list)
    doing: threading.Lock = field(default_factory=threading.Lock)

    def turn(self) -> None:
        """Lets the source change, so that a run has something to do."""
        self.database.turn()
        self.yesterday, self.today = self.today, self.yesterday

    def run(self, settings: Settings | None = None, progress: Progress | None = None) -> RunResult:
        """Runs the daily load in this process: undisturbed, unless other settings are given."""
        return daily_run(settings or self.settings, DAY, progress or Silent(), (), self.folder)

    def rows(self) -> Rows:
        """Returns every published row, by destination; all are of one moment, as BigQuery answers a query."""
        found: dict[str, Counter[str]] = {}
        every = " UNION ALL ".join(_listed(name, contract) for name, contract in self.contracts.items())
        for name, day, line in self.warehouse.client.query_and_wait(every):
            values = sorted((name, value) for name, value in json.loads(line).items() if name not in self.unseen)
            found.setdefault(f"{name} {day}" if day else name, Counter())[repr(values)] += 1
        return found

    def left_over(self) -> list[str]:
        """Returns what a finished load should not leave: tables, staged files, leases, sessions."""
        delete_expired(self.stage, now() + timedelta(hours=1))  # as if their days were over
        spared = [name for name in objects(self.stage) - self.strangers if not is_record(name)]
        unknown = [name for name in self.published_tables() - self.tables if not self._ends(name)]
        gone = wait_until(lambda: self.database.sessions() == 0, _PATIENCE_SECONDS)
        held = [f"lease of {one.table}" for one in all_leases(Ledger(self.warehouse))]
        return [*spared, *unknown, *held, *([] if gone else ["sessions on the database"])]

    def published_tables(self) -> frozenset[str]:
        """Returns the name of every table and view in the datasets that its loads write."""
        bigquery, client = self.settings.bigquery, self.warehouse.client
        ours = {contract.dataset for contract in self.contracts.values()}
        datasets = (ours | {bigquery.ops_dataset, bigquery.views_dataset}) & set(_datasets(self.warehouse))
        return frozenset(f"{name}.{table.table_id}" for name in datasets for table in client.list_tables(name))

    def _ends(self, name: str) -> bool:
        """Tells whether a table that a load left expires soon, and removes it as if it had."""
        table = self.warehouse.client.get_table(self.warehouse.table_id(name))
        ends = table.expires is not None and table.expires < now() + timedelta(days=2)
        self.warehouse.client.delete_table(table)
        return ends


def objects(stage: StagingBucket) -> frozenset[str]:
    """Returns the name of every object of a bucket."""
    return frozenset(one.name for one in stage.stored(""))


def _datasets(warehouse: Warehouse) -> Iterator[str]:
    yield from (dataset.dataset_id for dataset in warehouse.client.list_datasets())


def _listed(name: str, contract: Contract) -> str:
    """Returns the query for every row of a table."""
    by = contract.partition_by
    day, every = (f"CAST(`{by}` AS STRING)", f"`{by}` >= '2000-01-01'") if by else ("CAST(NULL AS STRING)", "TRUE")
    return f"SELECT '{name}', {day}, TO_JSON_STRING(t) FROM {contract.publish} AS t WHERE {every}"
