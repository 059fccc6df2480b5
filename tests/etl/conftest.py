"""What tests of the flow share, on request: BigQuery, a place to stage, AWS, an issuer, its copy in MySQL, Spark."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from functools import partial
from pathlib import Path
from typing import Any, Protocol

import psycopg
import pytest
from pyspark.sql import SparkSession

from etl.cloud.bigquery import Warehouse
from etl.cloud.storage import StagingLocation
from etl.keys import create_keyring_file
from etl.ledger import Ledger
from etl.progress import JsonLines
from etl.run.daily import daily_run
from etl.run.record.results import RunResult
from etl.settings import Settings, load_settings
from schemas.contract import Contract
from schemas.contract_file import BUNDLED, load_contracts
from scripts.local_stack.local_stack import Endpoints
from scripts.local_stack.replay import answer, follows
from tests.etl.republishing import republish
from tests.etl.source.mysql.mysql_source import MySql, copied

ROOT = Path(__file__).parents[2]
FIRST_DAY = date(2023, 8, 27)
DAY = date(2023, 8, 30)
NEXT_DAY = DAY + timedelta(days=1)


class Unfenced:
    """The lease of a table that nobody else knows of."""

    def prove(self, *, anew: bool = False) -> None:
        """Nobody else can hold it."""


FREE = Unfenced()


@dataclass(frozen=True)
class Issuer:
    """The made-up issuer on the private stack, and how a test looks at both sides of the load."""

    ends: Endpoints
    settings: Settings
    warehouse: Warehouse

    def source(self, sql: str) -> list[tuple[Any, ...]]:
        """Asks the primary; committed rows are awaited on the standby."""
        with psycopg.connect(self.ends.primary_url, autocommit=True) as connection:
            cursor = connection.execute(sql.encode())
            rows = cursor.fetchall() if cursor.description else []
            assert follows(connection, partial(answer, self.ends.source_url), 60)
        return rows

    def published(self, sql: str) -> list[tuple[Any, ...]]:
        """Asks BigQuery."""
        return [tuple(row) for row in self.warehouse.client.query_and_wait(sql)]

    def checksums(self, tables: list[str], folder: Path = BUNDLED) -> dict[str, list[tuple[Any, ...]]]:
        """Returns every row of published tables, ordered: equal exactly where the bytes are."""
        contracts = load_contracts(folder)
        return {name: self.rows(contracts[name]) for name in tables}

    def rows(self, contract: Contract) -> list[tuple[Any, ...]]:
        """Returns every published row of a table, ordered."""
        return sorted(self.published(f"SELECT * FROM {contract.publish} WHERE {every_day(contract)}"), key=repr)

    def run(
        self,
        day: date,
        *tables: str,
        contracts: Path = BUNDLED,
        settings: Settings | None = None,
        accepted_deletes: int = 0,
    ) -> RunResult:
        """Runs the daily load in this process."""
        heard = JsonLines(sys.stderr)
        return daily_run(settings or self.settings, day, heard, tables, contracts, accepted_deletes=accepted_deletes)

    def load(self, day: date, *tables: str, contracts: Path = BUNDLED, settings: Settings | None = None) -> RunResult:
        """Runs the daily load in this process to a good end: no table failed, nor the views."""
        result = self.run(day, *tables, contracts=contracts, settings=settings)
        assert result.exit_code == 0, [one.error for one in result.tables]
        return result

    def synth(self, *arguments: str) -> None:
        """Runs the generator on the primary."""
        command = [sys.executable, "scripts/synth.py", *arguments, "--url", self.ends.primary_url]
        subprocess.run(command, cwd=ROOT, check=True, capture_output=True)  # noqa: S603  our own script
        self.source("SELECT 1")


def every_day(contract: Contract) -> str:
    """Returns a condition that names every partition, which some tables demand of a query."""
    return f"{contract.partition_by} >= '2000-01-01'" if contract.partition_by else "TRUE"


@pytest.fixture(scope="session")
def warehouse(stack: Endpoints) -> Warehouse:
    """Returns the private BigQuery server."""
    return Warehouse(load_settings(stack.settings).bigquery)


@pytest.fixture(scope="session")
def location(stack: Endpoints) -> StagingLocation:
    """Returns a place in the private bucket that no run stages in."""
    return StagingLocation(stack.bucket, "kagemusha/tests", stack.storage, stack.project)


@pytest.fixture(scope="module")
def own_settings(stack: Endpoints, request: pytest.FixtureRequest) -> Settings:
    """Returns settings whose ledger is in a dataset of this module alone."""
    found = load_settings(stack.settings)
    dataset = f"{request.path.stem}_ops"
    return found.model_copy(update={"bigquery": found.bigquery.model_copy(update={"ops_dataset": dataset})})


@pytest.fixture(scope="module")
def ledger(own_settings: Settings) -> Ledger:
    """Returns that ledger, opened as a command opens it."""
    return Ledger.of(own_settings)


@pytest.fixture(scope="module")
def aws(aws_server: str) -> Iterator[None]:
    """Points boto3 at that server, with credentials, and by default in another region than ours."""
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("AWS_ENDPOINT_URL", aws_server)
        environment.setenv("AWS_ACCESS_KEY_ID", "test")
        environment.setenv("AWS_SECRET_ACCESS_KEY", "test")
        environment.setenv("AWS_DEFAULT_REGION", "us-east-1")
        environment.setenv("AWS_EC2_METADATA_DISABLED", "true")
        yield


@pytest.fixture(scope="session")
def issuer(stack: Endpoints, spark: SparkSession) -> Issuer:
    """Returns a seeded issuer at the end of DAY, whose runs use Spark; tests that change its rows put them back."""
    del spark  # its runs, in this process, use it
    settings = load_settings(stack.settings)
    keyring = Path(settings.keyring.ref.removeprefix("file:"))
    if not keyring.exists():
        create_keyring_file(keyring)
    found = Issuer(stack, settings, Warehouse(settings.bigquery))
    found.synth("create", "--scale", "3000", "--first-day", str(FIRST_DAY), "--last-day", str(DAY))
    return found


@pytest.fixture(scope="session")
def mysql(issuer: Issuer) -> MySql:
    """Returns the same issuer in MariaDB, copied when the first test asks for it."""
    return copied(issuer.ends)


class Republish(Protocol):
    """Copies bundled contracts into a folder of their own and returns it."""

    def __call__(self, prefix: str, *tables: str, joins: bool = False, **renamed: str) -> Path:
        """Copies them so that they publish under a prefix; a keyword is a table and what its copy is called."""


@pytest.fixture(scope="session")
def republished(tmp_path_factory: pytest.TempPathFactory) -> Republish:
    """Returns what copies contracts so that they publish where no other test looks."""

    def copy(prefix: str, *tables: str, joins: bool = False, **renamed: str) -> Path:
        names = {**dict(zip(tables, tables, strict=True)), **renamed}
        return republish(tmp_path_factory.mktemp(prefix), prefix, names, joins=joins)

    return copy


@pytest.fixture
def contracts(tmp_path: Path) -> Path:
    """Returns a copy of the bundled contracts that a test may change."""
    folder = tmp_path / "schemas"
    shutil.copytree(BUNDLED, folder, ignore=shutil.ignore_patterns("*.py", "__pycache__"))
    return folder
