"""The ground on which growth is measured: a stack of its own, made-up tables, and proxies that count requests."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import date, timedelta
from pathlib import Path
from typing import Final

import psycopg

from etl.cloud.bigquery import Warehouse
from etl.keys import create_keyring_file
from etl.settings import load_settings
from scripts.fault_injection.proxy import Exchange, FaultProxy, Rule
from scripts.local_stack.local_stack import Endpoints, LocalStack
from scripts.local_stack.replay import answer, follows
from scripts.scale.gauge import Cost, watched

ROOT: Final = Path(__file__).resolve().parents[2]
DAY: Final = date(2023, 8, 30)
_PATIENCE_SECONDS: Final = 120
_COUNT: Final = "SELECT xact_commit + xact_rollback FROM pg_stat_database WHERE datname = current_database()"
_CONTRACT: Final = """\
table: {name}
about: One of the tables of a measurement.
source: many.{name}
publish: many.{name}
load: {load}
key: [member_id]
reconcile: [amount]
columns:
  member_id:  {{type: int64, class: identifier, mask: {{strategy: tokenize, domain: member}}, nullable: false}}
  pan:        {{type: string, class: pan, mask: {{strategy: fpe, domain: pan}}}}
  memo:       {{type: string, class: free_text, mask: {{strategy: scrub_text}}}}
  amount:     {{type: "numeric(12,2)", class: none, mask: {{strategy: keep, why: the measure itself}}}}
  updated_at: {{type: timestamp, class: none, mask: {{strategy: keep, why: our own record}}, nullable: false}}
"""
_BY_DAY: Final = """\
derive:
  updated_on: {type: date, from: updated_at, as: business_date}
"""
_TABLE: Final = """
CREATE TABLE many.{name} (
    member_id bigint PRIMARY KEY, pan text, memo text, amount numeric(12, 2), updated_at timestamptz NOT NULL
);
INSERT INTO many.{name}
SELECT n, '4111111111111111', 'thank you ' || n, n * 1.25,
       '{last} 09:00:00+09'::timestamptz - (n - 1) / {a_day} * interval '1 day'
FROM generate_series(1, {rows}) AS n;
ANALYZE many.{name};
"""


@dataclass
class Ground:
    """A running ground; `measured` runs commands on it."""

    root: Path
    ends: Endpoints
    settings: Path
    storage: FaultProxy
    bigquery: FaultProxy

    def seed(self, folder: str, names: Sequence[str], rows: int, *, a_day: int | None = None) -> Path:
        """Makes tables of so many rows, and gives the folder of their contracts.

        Args:
            folder: name of the contracts' folder.
            names: of the tables.
            rows: of each table.
            a_day: rows of one business day; None: all are of one day, and the table is loaded whole.
        """
        contracts = self.root / folder
        contracts.mkdir(parents=True)
        load = "{mode: full}" if a_day is None else "{mode: partition, by: updated_on, lookback_days: 1}"
        with psycopg.connect(self.ends.primary_url, autocommit=True) as connection:
            connection.execute("DROP SCHEMA IF EXISTS many CASCADE")
            connection.execute("CREATE SCHEMA many")
            for name in names:
                sql = _TABLE.format(name=name, rows=rows, last=DAY, a_day=a_day or rows)
                connection.execute(sql.encode())
                text = _CONTRACT.format(name=name, load=load) + (_BY_DAY if a_day else "")
                (contracts / f"{name}.yaml").write_text(text, encoding="utf-8")
            connection.execute("GRANT USAGE ON SCHEMA many TO etl_reader")
            connection.execute("GRANT SELECT ON ALL TABLES IN SCHEMA many TO etl_reader")
            followed = follows(connection, self._source, _PATIENCE_SECONDS)
        if not followed:
            raise TimeoutError("the standby does not follow")
        return contracts

    def measured(self, contracts: Path, *call: str, slice_mib: float | None = None) -> Cost:
        """Runs a command of `kagemusha` as a process of its own; returns what it cost.

        Raises:
            RuntimeError: it did not end with 0; the log has why.
        """
        settings = self.settings
        if slice_mib is not None:
            settings = self.root / "sliced.toml"
            text = self.settings.read_text(encoding="utf-8")
            settings.write_text(text.replace("[source]\n", f"[source]\nslice_mib = {slice_mib}\n"), encoding="utf-8")
        command = [sys.executable, "-m", "etl.cli", *call, "--contracts", str(contracts), "--settings", str(settings)]
        environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYSPARK_PYTHON": sys.executable}
        counted = {"storage": _counter(), "bigquery": _counter()}
        before, log = int(str(self._source(_COUNT))), self.root / "runs.log"
        with self.storage.following(counted["storage"]), self.bigquery.following(counted["bigquery"]):
            cost, code = watched(command, {**environment, "SPARK_LOCAL_IP": "127.0.0.1"}, log)
        if code:
            raise RuntimeError(f"{' '.join(call)} ended with {code}; see {log}")
        requests = {name: rule.seen for name, rule in counted.items()}
        return replace(cost, requests={"source": int(str(self._source(_COUNT))) - before, **requests})

    def remember(self, runs: int) -> None:
        """Lets the ledger hold so many earlier runs of everything that it holds: one a day, back from the first."""
        client = Warehouse.of(load_settings(self.ends.settings)).client
        for table in ("runs", "table_loads", "stages"):
            columns = {field.name for field in client.get_table(f"ops.{table}").schema}
            moved = ["CONCAT(run_id, '-', CAST(n AS STRING)) AS run_id", "TIMESTAMP_SUB(at, INTERVAL n DAY) AS at"]
            moved += ["DATE_SUB(day, INTERVAL n DAY) AS day"] if "day" in columns else []
            client.query_and_wait(
                f"INSERT INTO ops.{table} SELECT t.* REPLACE ({', '.join(moved)}) "
                f"FROM ops.{table} AS t, UNNEST(GENERATE_ARRAY(1, {runs})) AS n"
            )

    def _source(self, sql: str) -> object:
        return answer(self.ends.source_url, sql)


def _counter() -> Rule:
    """Returns a rule that counts every request and disturbs none."""
    return Rule(".+", "", _nothing, times=0)


def _nothing(_: Exchange) -> None:
    """Never happens."""


@contextmanager
def ground(root: Path) -> Iterator[Ground]:
    """Yields a ground on a stack of its own below a folder; all of it is removed in the end."""
    stack = LocalStack(root)
    stack.reset()
    shutil.rmtree(root, ignore_errors=True)
    try:
        ends = stack.up()
        keyring = Path(load_settings(ends.settings).keyring.ref.removeprefix("file:"))
        if not keyring.exists():
            create_keyring_file(keyring)
        with FaultProxy(ends.storage).running() as storage, FaultProxy(ends.bigquery).running() as warehouse:
            text = ends.settings.read_text(encoding="utf-8")
            settings = root / "counted.toml"
            settings.write_text(
                text.replace(ends.storage, storage.url).replace(ends.bigquery, warehouse.url), encoding="utf-8"
            )
            yield Ground(root, ends, settings, storage, warehouse)
    finally:
        stack.reset()


def days_back(count: int, *, before: int = 0) -> tuple[str, str]:
    """Returns first and last of so many business days that end with the measurement's, or `before` days earlier."""
    last = DAY - timedelta(days=before)
    return str(last - timedelta(days=count - 1)), str(last)
