"""Nothing that was planted in the database gets out: into no table, file, log, event or error, in no spelling."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any

import psycopg
import pytest

from etl.cloud.bigquery import Warehouse
from etl.keys import create_keyring_file
from etl.settings import load_settings
from etl.source import window_slices
from schemas.business_days import Window
from schemas.contract_file import load_contracts
from schemas.loads import PartitionLoad
from scripts.local_stack.local_stack import Endpoints, LocalStack
from scripts.local_stack.passwords import read as read_passwords
from scripts.local_stack.processes import wait_until
from tests.etl.canaries.canaries import KANJI, MARKERS, Canaries
from tests.etl.canaries.planting import plant
from tests.etl.canaries.search import Searcher
from tests.etl.canaries.watched_job import ROOT, Ended, WatchedJob
from tests.etl.source.mysql.mysql_source import copied

pytestmark = [pytest.mark.stack, pytest.mark.timeout(600)]
DAY = date(2023, 8, 30)
CONTRACTS = load_contracts()
MASTER = "local[3]"
UNFIT_FOR_LOADING = (
    ("leaking", "memo text", "'お客様{pan}様'"),
    ("unfit", "amount numeric", "{pan}.5"),
    ("unmaskable", "pan text", "'{word}{pan}'"),
    ("unreadable", "document json", """'{{"pan": "{pan}", "name": "{word}", "bad": "\\u0000"}}'"""),
    (
        "clubs",
        "code text, kind text, support_rate numeric(5,4), contact_name text, contact_email text",
        "'c', '{word}{pan:.4}', 0.01, '{word}', '{word}@example.jp'",
    ),
)
"""Tables that fail at each step that sees values, in such a way that the step's own libraries would quote them."""
FAILURES = {
    "leaking": ("LeakFound", 1, "1 values of memo look like card numbers"),
    "unfit": ("ValuesUnfit", 1, "Values of amount do not fit numeric(10,0)"),
    "unmaskable": ("InvalidValues", 2, "pan"),
    "unreadable": ("ReadFailed", 2, "SQLSTATE 22P05"),
    "clubs": ("AuditFailed", 1, "expect_column_values_to_be_in_set(kind): 1 of 1 rows"),
}
TALKATIVE = {
    "log_statement": "all",
    "log_min_messages": "info",
    "log_min_error_statement": "error",
    "log_error_verbosity": "verbose",
    "log_min_duration_statement": "0",
    "log_parameter_max_length": "-1",
    "log_parameter_max_length_on_error": "-1",
}


@dataclass(frozen=True)
class Issuer:
    """A stack of its own with an issuer in which every sensitive column holds canaries."""

    ends: Endpoints
    warehouse: Warehouse
    searcher: Searcher
    planted: dict[str, int]

    def published(self, sql: str) -> list[tuple[Any, ...]]:
        """Asks BigQuery."""
        return [tuple(row.values()) for row in self.warehouse.client.query_and_wait(sql)]

    def in_bigquery(self) -> dict[str, set[str]]:
        """Searches every column of every table and view, their descriptions, and what BigQuery remembers of jobs."""
        client, found = self.warehouse.client, {}
        for dataset in client.list_datasets():
            for listed in client.list_tables(dataset.dataset_id):
                table = client.get_table(listed.reference)
                by = table.time_partitioning.field if table.time_partitioning else None
                rows = self.published(
                    f"SELECT * FROM {dataset.dataset_id}.{listed.table_id}"
                    + (f" WHERE {by} >= '0001-01-01'" if by else "")
                )
                values = [value for row in rows for value in row]
                found[table.full_table_id] = self.searcher.in_values([*values, table.to_api_repr()])
        found["jobs"] = self.searcher.in_values(job.to_api_repr() for job in client.list_jobs(all_users=True))
        return {name: sightings for name, sightings in found.items() if sightings}

    def in_files(self, *searched: str) -> dict[str, set[str]]:
        """Searches every file of the stack but PostgreSQL's own data, passwords, the keyring, and what was searched."""
        kept_apart = [self.ends.root / name for name in ("postgres", "secrets", "keys", *searched)]
        return self.searcher.in_tree(self.ends.root, skipping=kept_apart)


@pytest.fixture(scope="module")
def issuer(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Issuer]:
    """Yields the issuer; its servers write every statement and every error into their logs."""
    private = LocalStack(tmp_path_factory.mktemp("canaries"))
    try:
        yield _issuer(private.up())
    finally:
        private.reset()


def _issuer(ends: Endpoints) -> Issuer:
    settings = load_settings(ends.settings)
    create_keyring_file(Path(settings.keyring.ref.removeprefix("file:")))
    days = ["--first-day", "2023-06-01", "--last-day", str(DAY)]
    synth = [sys.executable, "scripts/synth.py", "create", "--scale", "3000", *days, "--url", ends.primary_url]
    subprocess.run(synth, cwd=ROOT, check=True, capture_output=True)  # noqa: S603  our own script
    canaries = Canaries()
    with psycopg.connect(ends.primary_url, autocommit=True) as connection:
        planted = plant(connection, CONTRACTS.values(), canaries, DAY)
        connection.execute("CREATE SCHEMA canary")
        for table, columns, row in UNFIT_FOR_LOADING:
            connection.execute(f"CREATE TABLE canary.{table} (id bigint, {columns})".encode())
            number = canaries.card_number()
            connection.execute(f"INSERT INTO canary.{table} VALUES (1, {row.format(pan=number, word=KANJI)})".encode())
        (written,) = connection.execute("SELECT pg_current_wal_lsn()::text").fetchone() or ("",)
    _set_servers(ends, *(f"ALTER SYSTEM SET {name} = '{value}'" for name, value in TALKATIVE.items()))
    with psycopg.connect(ends.source_url, autocommit=True) as standby:
        arrived = f"SELECT pg_last_wal_replay_lsn() >= '{written}'".encode()
        assert wait_until(lambda: standby.execute(arrived).fetchone() == (True,), 30)
    secrets = {
        password for path in ("admin", "pgpass") for password in read_passwords(ends.root / "secrets" / path).values()
    }
    secrets |= set(
        re.findall(r"[A-Za-z0-9+/=_-]{40,}", (ends.root / "keys" / "keyring.json").read_text(encoding="utf-8"))
    )
    searcher = Searcher(MARKERS | secrets, frozenset(canaries.numbers))
    return Issuer(ends, Warehouse(settings.bigquery), searcher, planted)


def _set_servers(ends: Endpoints, *statements: str) -> None:
    """Changes the configuration of both servers, as their administrator."""
    for url in (ends.primary_url, ends.source_url):
        place = psycopg.conninfo.conninfo_to_dict(url)
        with psycopg.connect(
            host=str(place["host"]),
            port=str(place["port"]),
            user="postgres",
            dbname="postgres",
            passfile=str(ends.root / "secrets" / "admin"),
            autocommit=True,
        ) as admin:
            for statement in (*statements, "SELECT pg_reload_conf()"):
                admin.execute(statement.encode())


@dataclass(frozen=True)
class Job:
    """A command that ended, and the folder that holds everything it wrote."""

    ended: Ended
    folder: Path


@pytest.fixture(scope="module")
def daily_load(issuer: Issuer) -> Job:
    """Returns the daily load of the whole issuer, run by spark-submit."""
    job = WatchedJob(issuer.ends.root / "daily_load", issuer.ends.settings)
    submit = str(Path(sys.executable).with_name("spark-submit"))
    return Job(
        job.run([submit, "--master", MASTER, str(ROOT / "jobs" / "daily_load.py"), "--day", str(DAY)]), job.folder
    )


def test_every_table_has_canaries_and_is_published_with_them(issuer: Issuer, daily_load: Job) -> None:
    """The load succeeds on all contracts, and the rows that hold canaries are among those published."""
    assert daily_load.ended.code == 0, daily_load.ended.out[-3000:] + daily_load.ended.err[-3000:]
    assert set(issuer.planted) == set(CONTRACTS)
    assert min(issuer.planted.values()) > 0
    with psycopg.connect(issuer.ends.source_url) as standby:
        for name, contract in CONTRACTS.items():
            published, read = "", "TRUE"
            if isinstance(contract.load, PartitionLoad):
                published = f"WHERE {contract.load.by} >= '0001-01-01'"
                days = Window.ending(DAY, contract.load.lookback_days).days
                parts = window_slices(str(contract.window_column), "timestamp", days, 1)
                read = " OR ".join(part.where for part in parts)
            rows = issuer.published(f"SELECT count(*) FROM {contract.publish} {published}")
            assert (
                rows == standby.execute(f"SELECT count(*) FROM {contract.source} WHERE {read}".encode()).fetchall()
            ), name
            assert rows[0][0] >= issuer.planted[name]


def test_the_searcher_sees_what_the_database_holds(issuer: Issuer) -> None:
    """Read raw, every table gives its canaries away: what is not found elsewhere would have been found."""
    with psycopg.connect(issuer.ends.source_url) as standby:
        for contract in CONTRACTS.values():
            rows = standby.execute(f"SELECT * FROM {contract.source}".encode())
            assert issuer.searcher.in_values(value for row in rows for value in row), contract.table


def test_no_canary_is_in_bigquery(issuer: Issuer, daily_load: Job) -> None:
    """No table, view, ledger row, description or job of BigQuery holds a canary."""
    assert daily_load.ended.code == 0
    assert issuer.in_bigquery() == {}


def test_no_canary_is_in_any_file(issuer: Issuer, daily_load: Job) -> None:
    """No staged file, report, log, event, scratch file or file of a server holds a canary, password or key."""
    assert daily_load.ended.code == 0
    assert issuer.in_files() == {}


def test_everything_was_talkative(issuer: Issuer, daily_load: Job) -> None:
    """The files in which nothing was found are the ones meant: each kind is there and says a lot."""
    folder, root = daily_load.folder, issuer.ends.root
    (events,) = (folder / "events").iterdir()
    assert "SparkListenerTaskEnd" in events.read_text(encoding="utf-8")
    assert f'"spark.master":"{MASTER}"' in events.read_text(encoding="utf-8"), "spark-submit's own master did not count"
    assert "DEBUG" in (folder / "jvm.log").read_text(encoding="utf-8")
    python_logs = list(folder.glob("python-*.log"))
    assert any("DEBUG" in path.read_text(encoding="utf-8") for path in python_logs)
    assert not any(path.name.endswith(".data") for path in (folder / "kept").iterdir()), "small tables were shuffled"
    assert 'FROM "ledger"."payments"' in (root / "logs" / "standby.log").read_text(encoding="utf-8")
    staged = list((root / "storage").rglob("*.parquet"))
    assert {path.parents[1].name for path in staged} >= set(CONTRACTS)
    (report,) = (root / "storage").rglob("report.json*")
    assert json.loads(report.read_text(encoding="utf-8"))["run_id"]


CONTRACT = """\
table: {table}
about: A row that cannot be loaded.
source: canary.{table}
publish: canary.{table}
load: {{mode: full}}
key: [id]
columns:
  id: {{type: int64, class: identifier, mask: {{strategy: tokenize, domain: row}}}}
"""
COLUMNS = {
    "leaking": "  memo: {type: string, class: none, mask: {strategy: keep, why: somebody thought it harmless}}",
    "unfit": "  amount: {type: 'numeric(10,0)', class: none, mask: {strategy: keep, why: the measure itself}}",
    "unmaskable": "  pan: {type: string, class: pan, mask: {strategy: fpe, domain: pan}}",
    "unreadable": "  document: {type: json, class: none, mask: {strategy: keep, why: somebody thought it harmless}}",
    "clubs": """\
  code: {type: string, class: none, mask: {strategy: keep, why: names a club}}
  kind: {type: string, class: none, mask: {strategy: keep, why: six codes}}
  support_rate: {type: 'numeric(5,4)', class: none, mask: {strategy: keep, why: our own terms}}
  contact_name: {type: string, class: person_name, mask: {strategy: redact}}
  contact_email: {type: string, class: email, mask: {strategy: 'null'}}""",
}


@pytest.fixture(scope="module")
def failing_load(issuer: Issuer, daily_load: Job) -> Job:
    """Returns a run on the tables that fail; the servers' own logs are quiet again, as they are by default."""
    assert daily_load.folder.exists()
    _set_servers(issuer.ends, "ALTER SYSTEM RESET ALL")
    contracts = issuer.ends.root / "contracts"
    contracts.mkdir()
    for table, columns in COLUMNS.items():
        (contracts / f"{table}.yaml").write_text(CONTRACT.format(table=table) + columns + "\n", encoding="utf-8")
    job = WatchedJob(issuer.ends.root / "failing_load", issuer.ends.settings)
    command = [sys.executable, "-m", "etl.cli", "run", "--day", str(DAY), "--contracts", str(contracts)]
    return Job(job.run(command), job.folder)


def test_every_failure_is_told_with_its_exit_code(failing_load: Job) -> None:
    """Each table fails at the step meant for it; names and counts are told, and the worst exit code is the run's."""
    lines = [json.loads(line) for line in failing_load.ended.err.splitlines() if line.startswith("{")]
    failed = {line["table"]: line for line in lines if line["step"] == "failed"}
    for table, (kind, code, message) in FAILURES.items():
        assert message in failed[table]["error"]
        assert failed[table]["exit_code"] == code
        assert f"failed: {kind}" in failing_load.ended.out
    assert failing_load.ended.code == 2


def test_failures_publish_nothing(issuer: Issuer, failing_load: Job) -> None:
    """No table of the failing run exists in BigQuery afterwards."""
    assert failing_load.ended.code == 2
    datasets = {dataset.dataset_id for dataset in issuer.warehouse.client.list_datasets()}
    assert "canary" not in datasets or not list(issuer.warehouse.client.list_tables("canary"))


def test_failures_leak_nothing(issuer: Issuer, failing_load: Job) -> None:
    """No message, log, event, ledger row or report of a failure quotes a value; only a kept one is staged, as meant."""
    assert failing_load.ended.code == 2
    assert issuer.in_bigquery() == {}
    found = issuer.in_files("daily_load")
    staged = {path for path in found if path.startswith("storage/") and "/clubs/" in path and path.endswith(".parquet")}
    assert staged, "the audit saw no value at all"
    assert set(found) == staged


BY_JDBC = ("payments", "members")


@pytest.fixture(scope="module")
def jdbc_load(issuer: Issuer) -> Job:
    """Returns a run on MySQL, whose rows pass through Spark's JVM, with the same canaries in them."""
    mysql = copied(issuer.ends)
    job = WatchedJob(issuer.ends.root / "jdbc_load", mysql.ends.settings)
    chosen = [option for table in BY_JDBC for option in ("--table", table)]
    return Job(job.run([sys.executable, "-m", "etl.cli", "run", "--day", str(DAY), *chosen]), job.folder)


def test_rows_that_pass_through_the_jvm_leak_nothing(issuer: Issuer, jdbc_load: Job) -> None:
    """No plan, event, log, scratch or staged file of a load by Spark JDBC holds a canary or a password of MySQL."""
    assert jdbc_load.ended.code == 0, jdbc_load.ended.out[-3000:] + jdbc_load.ended.err[-3000:]
    scratch = jdbc_load.folder / "scratch"
    assert wait_until(lambda: not any(scratch.iterdir()), 30), "Spark's JVM outlives its job"
    secrets = {path.read_text(encoding="ascii") for path in (issuer.ends.root / "secrets_mariadb").iterdir()}
    searcher = replace(issuer.searcher, markers=issuer.searcher.markers | secrets)
    root = issuer.ends.root
    elsewhere = ("postgres", "secrets", "keys", "mariadb", "secrets_mariadb", "daily_load", "failing_load", "storage")
    kept_apart = [root / name for name in elsewhere]
    staged = [path for path in (root / "storage").rglob("*.parquet") if path.parents[1].name in BY_JDBC]
    assert searcher.in_tree(root, skipping=kept_apart) == {}
    assert {str(path) for path in staged if searcher.in_file(path)} == set()
    (events,) = (jdbc_load.folder / "events").iterdir()
    assert "JDBCRelation" in events.read_text(encoding="utf-8"), "the plan of the read is not in the event log"
    assert "DEBUG" in (jdbc_load.folder / "jvm.log").read_text(encoding="utf-8")
