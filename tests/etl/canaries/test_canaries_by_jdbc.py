"""The same on the way through Spark's JVM: read from MySQL by JDBC, no canary gets out, in no spelling."""

from __future__ import annotations

import sys
from dataclasses import replace

import pytest

from scripts.local_stack.processes import wait_until
from tests.etl.canaries.planted_issuer import DAY, PlantedIssuer
from tests.etl.canaries.watched_job import Job, WatchedJob
from tests.etl.source.mysql.mysql_source import copied

pytestmark = [pytest.mark.stack, pytest.mark.timeout(600)]
BY_JDBC = ("payments", "members")


@pytest.fixture(scope="module")
def jdbc_load(planted: PlantedIssuer) -> Job:
    """Returns a run on MySQL, whose rows pass through Spark's JVM, with the same canaries in them."""
    mysql = copied(planted.ends)
    job = WatchedJob(planted.ends.root / "jdbc_load", mysql.ends.settings)
    chosen = [option for table in BY_JDBC for option in ("--table", table)]
    return job.run([sys.executable, "-m", "etl.cli", "run", "--day", str(DAY), *chosen])


def test_rows_that_pass_through_the_jvm_leak_nothing(planted: PlantedIssuer, jdbc_load: Job) -> None:
    """No event, log, scratch or staged file of a load by Spark JDBC holds a canary or a password of MySQL."""
    assert jdbc_load.ended.code == 0, jdbc_load.ended.out[-3000:] + jdbc_load.ended.err[-3000:]
    scratch = jdbc_load.folder / "scratch"
    assert wait_until(lambda: not any(scratch.iterdir()), 30), "Spark's JVM outlives its job"
    secrets = {path.read_text(encoding="ascii") for path in (planted.ends.root / "secrets_mariadb").iterdir()}
    searcher = replace(planted.searcher, markers=planted.searcher.markers | secrets)
    root = planted.ends.root
    kept_apart = [root / name for name in ("postgres", "secrets", "keys", "mariadb", "secrets_mariadb")]
    staged = {path.parents[1].name for path in (root / "storage").rglob("*.parquet")}
    assert staged == set(BY_JDBC)
    assert searcher.in_tree(root, skipping=kept_apart) == {}
    (events,) = (jdbc_load.folder / "events").iterdir()
    recorded = events.read_text(encoding="utf-8")
    assert "SparkListenerApplicationStart" in recorded
    assert "JDBCRelation" not in recorded, "the event log goes on while rows are read, and would quote what fails"
    assert "DEBUG" in (jdbc_load.folder / "jvm.log").read_text(encoding="utf-8")
