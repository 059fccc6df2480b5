"""The field on which faults are injected: a local stack of its own, a very small issuer, and what BigQuery should hold.

The source has two states, and turning it changes every destination's rows. So what is published before a trial is
yesterday's, what an undisturbed run makes of the source is today's, and after a trial today's is the next yesterday's.
"""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Final

import psycopg

from etl.clock import now
from etl.cloud.bigquery import Warehouse
from etl.cloud.storage import StagingBucket, StagingLocation, is_record
from etl.keys import create_keyring_file
from etl.ledger import Ledger, all_leases
from etl.progress import Progress
from etl.run.daily import daily_run
from etl.run.record.results import RunResult
from etl.settings import LimitSettings, Settings, load_settings
from schemas.contract import Contract
from schemas.contract_file import load_contracts
from scripts.fault_injection.proxy import FaultProxy
from scripts.fault_injection.token_service import TokenService, job_environment, token_service
from scripts.local_stack.local_stack import Endpoints, LocalStack
from scripts.local_stack.processes import wait_until

ROOT: Final = Path(__file__).resolve().parents[2]
DAY: Final = date(2023, 8, 30)
CONTRACTS: Final = Path(__file__).with_name("issuer") / "contracts"
_TABLES: Final = Path(__file__).with_name("issuer") / "tables.sql"
_TURN: Final = (
    "UPDATE small.teams SET supporters = supporters + CASE WHEN supporters > 10000 THEN -10000 ELSE 10000 END",
    "UPDATE small.gifts SET points = points + CASE WHEN points > 10000 THEN -10000 ELSE 10000 END",
    "UPDATE small.standings SET points = points + CASE WHEN points > 10000 THEN -10000 ELSE 10000 END",
    """UPDATE small.followers SET updated_at = now(),
    visits = visits + CASE WHEN visits > 10000 THEN -10000 ELSE 10000 END WHERE follower_id <= 60""",
)
LEAVER: Final = 61
"""A follower whom no turn of the source changes; who leaves while a run is disturbed is not missed by readers."""
_MOVES_ON: Final = "updated_at"
"""Every change moves it forward, so it never is again what it was; it is not compared."""
_PATIENCE_SECONDS: Final = 60
_LEASE_SECONDS: Final = 8
_LIMITS: Final = f"[limits]\nlease_seconds = {_LEASE_SECONDS}\n"
_SESSIONS: Final = "SELECT count(*) FROM pg_stat_activity WHERE application_name LIKE 'kagemusha%'"

Rows = Mapping[str, Counter[str]]
"""The rows of every destination: a table, or one business day of it."""


class Silent:
    """Hears of every step and says nothing."""

    def say(self, table: str, step: str, **counts: object) -> None:
        """A table reached a step."""


@dataclass
class Field:
    """A running field; see the module. `unseen` are columns that are not compared, `stack` is nobody else's."""

    ends: Endpoints
    settings: Settings
    disturbed: Path
    storage: FaultProxy
    bigquery: FaultProxy
    tokens: TokenService
    contracts: Mapping[str, Contract]
    warehouse: Warehouse
    stage: StagingBucket
    yesterday: Rows
    today: Rows
    tables: frozenset[str]
    strangers: frozenset[str]
    folder: Path = CONTRACTS
    unseen: frozenset[str] = frozenset({_MOVES_ON})
    stack: LocalStack | None = None

    def turn(self) -> None:
        """Lets the source change, so that a run has something to do."""
        for sql in _TURN:
            self.source(sql)
        self.yesterday, self.today = self.today, self.yesterday

    def source(self, sql: str) -> None:
        """Changes the primary; the standby is awaited."""
        with psycopg.connect(self.ends.primary_url, autocommit=True) as connection:
            connection.execute(sql.encode())
            (position,) = connection.execute("SELECT pg_current_wal_insert_lsn()").fetchone() or ("0/0",)
        reached = f"SELECT pg_last_wal_replay_lsn() >= '{position}'"
        if not wait_until(lambda: self.standby(reached) is True, _PATIENCE_SECONDS):
            raise TimeoutError("the standby does not follow")

    def standby(self, sql: str) -> object:
        """Asks the standby as the ETL user; the answer is one value."""
        with psycopg.connect(self.ends.source_url, autocommit=True) as connection:
            return (connection.execute(sql.encode()).fetchone() or (None,))[0]

    def run(self, settings: Settings | None = None, progress: Progress | None = None) -> RunResult:
        """Runs the daily load in this process: undisturbed, unless other settings are given."""
        return daily_run(settings or self.settings, DAY, progress or Silent(), (), self.folder)

    def rows(self) -> Rows:
        """Returns every published row, by destination."""
        found: dict[str, Counter[str]] = {}
        for name, contract in self.contracts.items():
            by = contract.partition_by
            every = f"{by} >= '2000-01-01'" if by else "TRUE"
            sql = f"SELECT * FROM {contract.publish} WHERE {every}"
            for row in self.warehouse.client.query_and_wait(sql):
                place = f"{name} {row[by]}" if by else name
                values = sorted((name, value) for name, value in row.items() if name not in self.unseen)
                found.setdefault(place, Counter())[repr(values)] += 1
        return found

    def left_over(self) -> list[str]:
        """Returns what a finished load should not leave: tables, staged files, leases, sessions."""
        self.stage.delete_older(now() + timedelta(hours=1))  # as if their days were over
        spared = [name for name in _objects(self.stage) - self.strangers if not is_record(name)]
        unknown = [name for name in published_tables(self.warehouse) - self.tables if not self._ends(name)]
        gone = wait_until(lambda: self.standby(_SESSIONS) == 0, _PATIENCE_SECONDS)
        held = [f"lease of {one.table}" for one in all_leases(Ledger(self.warehouse))]
        return [*spared, *unknown, *held, *([] if gone else ["sessions on the database"])]

    def _ends(self, name: str) -> bool:
        """Tells whether a table that a load left expires soon, and removes it as if it had."""
        table = self.warehouse.client.get_table(self.warehouse.table_id(name))
        ends = table.expires is not None and table.expires < now() + timedelta(days=2)
        self.warehouse.client.delete_table(table)
        return ends


def _objects(stage: StagingBucket) -> frozenset[str]:
    return frozenset(one.name for one in stage.stored(""))


def published_tables(warehouse: Warehouse) -> frozenset[str]:
    """Returns the name of every table and view."""
    client = warehouse.client
    datasets = [dataset.dataset_id for dataset in client.list_datasets()]
    return frozenset(f"{name}.{table.table_id}" for name in datasets for table in client.list_tables(name))


@contextmanager
def field(root: Path, *, keys_change: bool = False) -> Iterator[Field]:
    """Yields a field on a stack of its own, whose data lie below a folder."""
    stack = LocalStack(root)
    stack.reset()
    try:
        with field_on(stack.up(), root, as_a_job=True, keys_change=keys_change) as made:
            made.stack = stack
            yield made
    finally:
        stack.reset()


@contextmanager
def field_on(
    ends: Endpoints, folder: Path, *, contracts: Path = CONTRACTS, as_a_job: bool = False, keys_change: bool = False
) -> Iterator[Field]:
    """Yields a field on a running stack; both states have been published once, by undisturbed runs.

    Args:
        ends: of the stack.
        folder: for the settings by which a run meets the faults.
        contracts: the folder of the contracts that are loaded.
        keys_change: whether tokens may be renewed; then columns that depend on a key are not compared, and the field
            has a keyring and a ledger of its own, so that nobody else's staged files are of an earlier version.
        as_a_job: whether this process, and the Spark that it starts, gets the environment of a job of AWS.
    """
    base = folder / "undisturbed.toml"
    text = ends.settings.read_text(encoding="utf-8")
    if keys_change:
        text = re.sub(r'(?m)^(ops_dataset = )"ops"$', r'\1"ops_of_changing_keys"', text)
        text = re.sub(r"(?m)^(ref = ).*$", rf'\1"file:{folder / "keys" / "changing.json"}"', text)
    base.write_text(text, encoding="utf-8")
    settings = load_settings(base)
    settings = settings.model_copy(
        update={"limits": LimitSettings(lease_seconds=_LEASE_SECONDS, lease_wait_seconds=60)}
    )
    keyring = Path(settings.keyring.ref.removeprefix("file:"))
    if not keyring.exists():
        create_keyring_file(keyring)
    with (
        FaultProxy(ends.storage).running() as storage,
        FaultProxy(ends.bigquery).running() as bigquery,
        token_service() as tokens,
    ):
        text = text.replace("[local]", f"{_LIMITS}\n[local]")
        text = text.replace(ends.storage, storage.url).replace(ends.bigquery, bigquery.url)
        disturbed = folder / "disturbed.toml"
        disturbed.write_text(re.sub(r"(?m)^local = true$", "local = true\nconnect_seconds = 4", text), "utf-8")
        warehouse, stage = Warehouse.of(settings), StagingBucket(StagingLocation.of(settings))
        made = Field(
            ends, settings, disturbed, storage, bigquery, tokens, load_contracts(contracts), warehouse, stage,
            {}, {}, frozenset(), _objects(stage), contracts,
        )  # fmt: skip
        if keys_change:
            made.unseen |= {
                name
                for contract in made.contracts.values()
                for name, column in contract.selected.items()
                if column.mask.key_uses()
            }
        made.source(_TABLES.read_text(encoding="utf-8"))
        if as_a_job:
            os.environ.update({**job_environment(tokens), "SPARK_LOCAL_IP": "127.0.0.1", "PYTHONPATH": str(ROOT)})
        try:
            yield _known(made)
        finally:
            made.source("DROP SCHEMA small CASCADE")


def _known(made: Field) -> Field:
    """Publishes both states, and remembers them."""
    states = []
    for _ in range(2):
        result = made.run()
        if result.exit_code:
            raise RuntimeError(f"an undisturbed run failed: {[one.error for one in result.tables]} {result.error}")
        states.append(made.rows())
        made.turn()
    made.today, made.yesterday = states[0], states[1]
    made.tables = published_tables(made.warehouse)
    return made
