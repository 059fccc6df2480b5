"""Nothing that was planted in the database gets out: into no table, file, log, event or error, in no spelling."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import psycopg
import pytest

from etl.settings import load_settings
from etl.source import window_slices
from schemas.business_days import Window
from schemas.contract_file import load_contracts
from schemas.loads import PartitionLoad
from tests.etl.canaries.planted_issuer import DAY, PlantedIssuer, set_servers
from tests.etl.canaries.watched_job import ROOT, Job, WatchedJob

pytestmark = [pytest.mark.stack, pytest.mark.timeout(600)]
CONTRACTS = load_contracts()
MASTER = "local[3]"
FAILURES = {
    "leaking": ("LeakFound", 1, "1 values of memo look like card numbers"),
    "unfit": ("ValuesUnfit", 1, "1 values of amount do not fit numeric(10,0)"),
    "unmaskable": ("InvalidValues", 2, "pan"),
    "unreadable": ("ValuesUnfit", 1, "1 values of document are JSON without a canonical text"),
    "clubs": ("AuditFailed", 1, "expect_column_values_to_be_in_set(kind): 1 of 1 rows"),
}


@pytest.fixture(scope="module")
def daily_load(planted: PlantedIssuer) -> Job:
    """Returns the daily load of the whole issuer, run by spark-submit, which went well."""
    job = WatchedJob(planted.ends.root / "daily_load", planted.ends.settings)
    submit = str(Path(sys.executable).with_name("spark-submit"))
    load = job.run([submit, "--master", MASTER, str(ROOT / "jobs" / "daily_load.py"), "--day", str(DAY)])
    assert load.ended.code == 0, load.ended.out[-3000:] + load.ended.err[-3000:]
    return load


@pytest.mark.usefixtures("daily_load")
def test_every_table_has_canaries_and_is_published_with_them(planted: PlantedIssuer) -> None:
    """The load succeeds on all contracts, and the rows that hold canaries are among those published."""
    assert set(planted.rows) == set(CONTRACTS)
    assert min(planted.rows.values()) > 0
    with psycopg.connect(planted.ends.source_url) as standby:
        for name, contract in CONTRACTS.items():
            published, read = "", "TRUE"
            if isinstance(contract.load, PartitionLoad):
                published = f"WHERE {contract.load.by} >= '0001-01-01'"
                days = Window.ending(DAY, contract.load.lookback_days).days
                parts = window_slices(str(contract.window_column), "timestamp", days, 1)
                read = " OR ".join(part.where for part in parts)
            rows = planted.published(f"SELECT count(*) FROM {contract.publish} {published}")
            assert (
                rows == standby.execute(f"SELECT count(*) FROM {contract.source} WHERE {read}".encode()).fetchall()
            ), name
            assert rows[0][0] >= planted.rows[name]


def test_the_searcher_sees_what_the_database_holds(planted: PlantedIssuer) -> None:
    """Read raw, every table gives its canaries away: what is not found elsewhere would have been found."""
    with psycopg.connect(planted.ends.source_url) as standby:
        for contract in CONTRACTS.values():
            rows = standby.execute(f"SELECT * FROM {contract.source}".encode())
            assert planted.searcher.in_values(value for row in rows for value in row), contract.table


@pytest.mark.usefixtures("daily_load")
def test_no_canary_is_in_bigquery(planted: PlantedIssuer) -> None:
    """No table, view, ledger row, description or job of BigQuery holds a canary."""
    assert planted.in_bigquery() == {}


@pytest.mark.usefixtures("daily_load")
def test_no_canary_and_no_small_group_is_on_the_site(planted: PlantedIssuer) -> None:
    """Pages, search indexes and evidence hold no canary in any language, and no picture a group of too few."""
    least = load_settings(planted.ends.settings).bigquery.views.smallest_group
    folder = planted.ends.root / "site"
    command = [sys.executable, "-m", "etl.cli", "site", str(folder), "--settings", str(planted.ends.settings)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)  # noqa: S603  our own command
    assert {f"{name}.html" for name in CONTRACTS} == {page.name for page in (folder / "ja" / "tables").iterdir()}
    assert planted.searcher.in_tree(folder, skipping=()) == {}
    for view in ("application_funnel", "delinquency_by_age_band", "dunning_effect", "reward_effect"):
        page = (folder / "views" / f"{view}.html").read_text(encoding="utf-8")
        counts = [int(number.replace(",", "")) for number in re.findall(r'<td class="n">([\d,]+)</td>', page)]
        assert all(count >= least for count in counts), view
        assert counts or f"fewer than {least}" in page or "smaller than" in page or "no rows" in page, view


@pytest.mark.usefixtures("daily_load")
def test_no_canary_is_in_any_file(planted: PlantedIssuer) -> None:
    """No staged file, report, log, event, scratch file or file of a server holds a canary, password or key."""
    assert planted.in_files() == {}


def test_everything_was_talkative(planted: PlantedIssuer, daily_load: Job) -> None:
    """The files in which nothing was found are the ones meant: each kind is there and says a lot."""
    folder, root = daily_load.folder, planted.ends.root
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
def failing_load(planted: PlantedIssuer, daily_load: Job) -> Job:
    """Returns a run on the tables that fail; the servers' own logs are quiet again, as they are by default."""
    assert daily_load.folder.exists()
    set_servers(planted.ends, "ALTER SYSTEM RESET ALL")
    contracts = planted.ends.root / "contracts"
    contracts.mkdir()
    for table, columns in COLUMNS.items():
        (contracts / f"{table}.yaml").write_text(CONTRACT.format(table=table) + columns + "\n", encoding="utf-8")
    job = WatchedJob(planted.ends.root / "failing_load", planted.ends.settings)
    command = [sys.executable, "-m", "etl.cli", "run", "--day", str(DAY), "--contracts", str(contracts)]
    load = job.run(command)
    assert load.ended.code == 2, load.ended.out[-3000:] + load.ended.err[-3000:]
    return load


def test_every_failure_is_told_with_its_exit_code(failing_load: Job) -> None:
    """Each table fails at the step meant for it; names and counts are told, and the worst exit code is the run's."""
    lines = [json.loads(line) for line in failing_load.ended.err.splitlines() if line.startswith("{")]
    failed = {line["table"]: line for line in lines if line["step"] == "failed"}
    for table, (kind, code, message) in FAILURES.items():
        assert message in failed[table]["error"]
        assert failed[table]["exit_code"] == code
        assert f"failed: {kind}" in failing_load.ended.out
    assert re.search(r"│ leaking +│ +[1-9]", failing_load.ended.out), "the rows that were read are told"
    assert failing_load.ended.code == 2


@pytest.mark.usefixtures("failing_load")
def test_failures_publish_nothing(planted: PlantedIssuer) -> None:
    """No table of the failing run exists in BigQuery afterwards."""
    datasets = {dataset.dataset_id for dataset in planted.warehouse.client.list_datasets()}
    assert "canary" not in datasets or not list(planted.warehouse.client.list_tables("canary"))


@pytest.mark.usefixtures("failing_load")
def test_failures_leak_nothing(planted: PlantedIssuer) -> None:
    """No message, log, event, ledger row or report of a failure quotes a value; only a kept one is staged, as meant."""
    assert planted.in_bigquery() == {}
    found = planted.in_files("daily_load")
    staged = {path for path in found if path.startswith("storage/") and "/clubs/" in path and path.endswith(".parquet")}
    assert staged, "the audit saw no value at all"
    assert set(found) == staged
