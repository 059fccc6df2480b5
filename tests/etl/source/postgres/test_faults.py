"""What happens to the reader in the middle of a slice, each time with the outcome that is promised."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from math import inf
from typing import Any

import pyarrow as pa
import pytest
from pyspark.sql import SparkSession

from etl import retries
from etl.errors import SourceUnavailable, StatementTimedOut
from etl.retries import TRIES
from etl.source import ReadColumn, Snapshot, hold_snapshot, read_slice
from etl.source.endpoint import Endpoint
from etl.source.guard import Reader
from etl.source.lag import ReaderLags
from etl.source.postgres.connect import control_connection, only_row
from etl.source.postgres.pulse import lag_of
from etl.source.snapshot import SnapshotLost
from etl.stage import Stager
from etl.stage import task as task_module
from etl.stage.task import StagedSlice, stage_slice
from schemas.types import ColumnType
from scripts.local_stack.postgres import PRIMARY, STANDBY
from tests.etl.source.cluster import OURS, ROWS, Cluster
from tests.etl.source.conftest import Staging

pytestmark = pytest.mark.stack
STREAMING = f"{OURS} AND query LIKE 'COPY%' AND state = 'active' AND wait_event = 'ClientWrite'"
NOTES = (ReadColumn("note", ColumnType.parse("string")),)


@pytest.fixture(autouse=True)
def _no_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tries again at once."""
    monkeypatch.setattr(retries, "_FIRST_PAUSE_SECONDS", 0.01)


@pytest.fixture
def in_mid_stream(cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[], None], int], list[int]]:
    """Returns a way to let something happen, so many times, after a slice got its first batch and before its second.

    The list that it returns counts how often that was.
    """

    def arrange(happen: Callable[[], None], times: int) -> list[int]:
        happened: list[int] = []

        def read(snapshot: Snapshot, *arguments: Any) -> Iterator[pa.RecordBatch]:
            batches = read_slice(snapshot, *arguments)
            yield next(batches)
            if len(happened) < times:
                cluster.await_standby(f"EXISTS (SELECT FROM pg_stat_activity WHERE {STREAMING})")
                happened.append(len(happened))
                happen()
            yield from batches

        monkeypatch.setattr(task_module, "read_slice", read)
        return happened

    return arrange


Arrange = Callable[[Callable[[], None], int], list[int]]


def test_a_backend_that_is_killed_once_costs_a_try(cluster: Cluster, staging: Staging, in_mid_stream: Arrange) -> None:
    """A slice whose session is ended while rows flow is read again under the same snapshot, whole."""
    with hold_snapshot(cluster.source()) as held:
        task, plan = staging.task(held, "wide")
        killed = in_mid_stream(lambda: cluster.end_sessions(STREAMING), 1)
        staged = stage_slice(task, plan.slices[0])
    assert isinstance(staged, StagedSlice)
    assert staged.file.rows == ROWS
    assert (len(killed), staged.tries) == (1, 2)


def test_a_backend_that_is_killed_every_time_ends_the_slice(
    cluster: Cluster, staging: Staging, in_mid_stream: Arrange, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After the last try the slice returns a transient error that names table and slice, and no rows."""
    tries: list[Snapshot] = []
    with hold_snapshot(cluster.source()) as held:
        task, plan = staging.task(held, "wide")
        killed = in_mid_stream(lambda: cluster.end_sessions(STREAMING), 100)
        reading = task_module.read_slice
        monkeypatch.setattr(task_module, "read_slice", lambda *given: tries.append(given[0]) or reading(*given))
        failure = stage_slice(task, plan.slices[0])
    assert isinstance(failure, SourceUnavailable)
    assert failure.exit_code == 3
    assert failure.where["slice"] == "0"
    assert len(tries) == TRIES, (str(failure), failure.where)
    assert killed


def test_a_lock_conflict_on_the_standby_costs_a_try(cluster: Cluster, staging: Staging, in_mid_stream: Arrange) -> None:
    """A query that blocks the primary's changes is canceled there (40001), and read again."""
    conflicts = "SELECT confl_lock FROM pg_stat_database_conflicts WHERE datname = 'issuer'"
    before = cluster.ask(STANDBY, conflicts)

    with cluster.configured(max_standby_streaming_delay="0"), hold_snapshot(cluster.source()) as held:
        task, plan = staging.task(held, "wide")
        happened = in_mid_stream(lambda: cluster.conflict("wide"), 1)
        staged = stage_slice(task, plan.slices[0])
    assert isinstance(staged, StagedSlice)
    assert staged.file.rows == ROWS
    assert (len(happened), staged.tries) == (1, 2)
    assert cluster.ask(STANDBY, conflicts) > before


def test_a_snapshot_that_is_lost_ends_the_run_at_once(cluster: Cluster, staging: Staging, spark: SparkSession) -> None:
    """When the holding session ends, the heartbeat says so, no turn is given, and no slice tries a second time."""
    with hold_snapshot(cluster.source()) as held:
        task, plan = staging.task(held, "credits")
        held.check()
        cluster.end_sessions(OURS)
        with pytest.raises(SnapshotLost, match="the session that held it has ended") as lost:
            held.check()
        with pytest.raises(SnapshotLost), held.governor.turn():
            raise AssertionError
        failure = stage_slice(task, plan.slices[0])
        with pytest.raises(SnapshotLost):
            Stager(spark, held, staging.key, staging.target, "lost").stage_slices(plan)
    assert isinstance(failure, SnapshotLost)
    assert lost.value.exit_code == failure.exit_code == 3


def test_exhausted_connections_are_waited_for(cluster: Cluster, staging: Staging) -> None:
    """While the server has no session left a slice waits; it fails as transient, or goes on when one is free."""
    with hold_snapshot(cluster.source(connect_seconds=1), every=0.1) as held, cluster.crowded() as let_go:
        with pytest.raises(SourceUnavailable, match="did not answer within 1 s"):
            staging.plan(held, "credits")
        for _ in range(3):
            held.check()
        assert held.governor.allowed < held.governor.most
        let_go()
        task, plan = staging.task(held, "credits")
        assert isinstance(stage_slice(task, plan.slices[0]), StagedSlice)


def test_a_pause_of_the_network_is_sat_out(cluster: Cluster) -> None:
    """A server that pauses for a moment in mid-stream costs nothing but the moment."""
    with hold_snapshot(cluster.source()) as held:
        batches = read_slice(held.snapshot, "pair.wide", NOTES, "TRUE")
        rows = next(batches).num_rows
        with cluster.paused():
            resumed = threading.Timer(0.3, lambda: None)
            resumed.start()
            resumed.join()
        rows += sum(batch.num_rows for batch in batches)
        held.check()
    assert rows == ROWS


def test_a_server_that_stays_silent_loses_the_run(cluster: Cluster, staging: Staging, spark: SparkSession) -> None:
    """After `silence_seconds` without an answer, slices that wait for it are canceled: nothing hangs."""
    with hold_snapshot(cluster.source(silence_seconds=1), every=0.1) as held:
        plan = staging.plan(held, "credits", slices=4)
        with ThreadPoolExecutor(1) as other, cluster.locked("credits"):
            stager = Stager(spark, held, staging.key, staging.target, "silent")
            staged = other.submit(stager.stage_slices, plan)
            cluster.await_standby(f"EXISTS (SELECT FROM pg_stat_activity WHERE {OURS} AND wait_event_type = 'Lock')")
            with cluster.paused(), pytest.raises(SnapshotLost, match="has not answered for 1 s") as lost:
                staged.result(timeout=30)
    assert lost.value.exit_code == 3


def test_a_sleeping_server_is_waited_for(cluster: Cluster) -> None:
    """A connection is tried again and again while a server starts, as a serverless one does on the first of them."""
    endpoint = Endpoint.of(cluster.source(connect_seconds=20))
    start = cluster.restart_standby()

    def connect() -> object:
        with control_connection(endpoint) as connection:
            return (connection.execute("SELECT 1").fetchone() or (None,))[0]

    with ThreadPoolExecutor(1) as other:
        connected = other.submit(connect)
        start()
        assert connected.result(timeout=30) == 1


def test_a_lagging_reader_is_refused_or_waited_for(cluster: Cluster) -> None:
    """A reader too far behind is refused as transient, with both figures; one that catches up in time is read."""
    with cluster.admin(STANDBY) as standby:
        standby.execute("SELECT pg_wal_replay_pause()")
        try:
            cluster.ask(PRIMARY, "SELECT txid_current()")
            cluster.await_standby("pg_last_wal_receive_lsn() > pg_last_wal_replay_lsn()")
            lagging = hold_snapshot(cluster.source(max_lag_seconds=0.001, lag_wait_seconds=0))
            with pytest.raises(ReaderLags, match=r"s behind the writer; 0\.001 s are allowed\.") as lags:
                lagging.__enter__()
            assert lags.value.exit_code == 3
            with ThreadPoolExecutor(1) as other:
                waiting = other.submit(_instance, cluster)
                cluster.await_standby(f"EXISTS (SELECT FROM pg_stat_activity WHERE {OURS})")
                standby.execute("SELECT pg_wal_replay_resume()")
                assert waiting.result(timeout=20) == "standby"
        finally:
            standby.execute("SELECT pg_wal_replay_resume()")


def test_a_standby_that_has_replayed_nothing_is_not_fresh(cluster: Cluster) -> None:
    """Just started beside an idle primary it is read while it receives; with nothing received nobody knows its age."""
    with cluster.admin(PRIMARY) as primary, cluster.admin(STANDBY) as standby:
        primary.execute("CHECKPOINT")
        begun = cluster.ask(PRIMARY, "SELECT checkpoint_lsn FROM pg_control_checkpoint()")
        cluster.await_standby(f"pg_last_wal_replay_lsn() > '{begun}'")
        standby.execute("CHECKPOINT")  # the next start replays from here on: no transaction
    cluster.restart_standby()()
    assert cluster.ask(STANDBY, "SELECT pg_last_xact_replay_timestamp()") is None
    with hold_snapshot(cluster.source(lag_wait_seconds=0)) as held:
        held.check()
    receiving = "EXISTS (SELECT FROM pg_stat_wal_receiver)"
    with cluster.configured(primary_conninfo=""):
        cluster.await_standby(f"NOT {receiving}")
        with (
            pytest.raises(ReaderLags, match="has replayed nothing of it yet") as unknown,
            hold_snapshot(cluster.source(lag_wait_seconds=0)),
        ):
            pass
    cluster.await_standby(receiving)
    assert unknown.value.exit_code == 3


@pytest.mark.parametrize(
    ("told", "seconds"),
    [("12.0", 0.012), ("NULL::float8", inf), ("12.0 WHERE false", inf)],
    ids=["told", "not told", "no row"],
)
def test_a_lag_that_aurora_does_not_tell_is_unknown(cluster: Cluster, told: str, seconds: float) -> None:
    """Aurora's own function decides there; where it has no figure for this instance, that is not 0."""
    with cluster.admin(PRIMARY) as server, server.transaction(force_rollback=True):
        server.execute("SET LOCAL allow_system_table_mods = on")
        server.execute("CREATE FUNCTION pg_catalog.aurora_db_instance_identifier() RETURNS text RETURN 'db-1'")
        columns = "server_id text, replica_lag_in_msec float8"
        status = f"CREATE FUNCTION pg_catalog.aurora_replica_status() RETURNS TABLE ({columns}) LANGUAGE sql AS "
        server.execute(f"{status} $$SELECT 'db-1', {told}$$".encode())
        assert lag_of(lambda sql: only_row(server, sql), Reader("db-1", 16_00_00, is_aurora=True)) == seconds


def _instance(cluster: Cluster) -> str:
    with hold_snapshot(cluster.source(max_lag_seconds=0.001, lag_wait_seconds=15)) as held:
        return held.snapshot.reader.instance


def test_a_query_over_its_time_is_not_tried_again(cluster: Cluster, staging: Staging) -> None:
    """A statement timeout says what to change; another try would only load the reader again."""
    with hold_snapshot(cluster.source(statement_seconds=1)) as held:
        task, plan = staging.task(held, "credits")
        with cluster.locked("credits"):
            failure = stage_slice(task, plan.slices[0])
    assert isinstance(failure, StatementTimedOut)
    assert failure.exit_code == 3
    assert "slice_mib" in str(failure)


def test_sessions_show_whose_they_are_and_only_read(cluster: Cluster) -> None:
    """The server's list names the run; sessions are read-only, limited in time, and see no row-level security."""
    with hold_snapshot(cluster.source(statement_seconds=77), "run-1") as held:
        assert cluster.ask(STANDBY, "SELECT application_name FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND "
                           f"{OURS}") == "kagemusha run-1"  # fmt: skip
        with control_connection(held.snapshot.endpoint) as session:
            shown = {
                name: (session.execute(f"SHOW {name}".encode()).fetchone() or ("",))[0]
                for name in ("statement_timeout", "default_transaction_read_only", "row_security", "timezone")
            }
    assert shown == {
        "statement_timeout": "77s",
        "default_transaction_read_only": "on",
        "row_security": "off",
        "timezone": "UTC",
    }


def test_two_tables_of_one_transaction_are_never_torn(cluster: Cluster, staging: Staging, spark: SparkSession) -> None:
    """While amounts move from one table to the other, every run stages both as they stood at one moment."""
    seen = set()
    with cluster.transferring() as moved, ThreadPoolExecutor(2) as tables:
        for number in range(2):
            before = moved()
            with hold_snapshot(cluster.source()) as held:
                stager = Stager(spark, held, staging.key, staging.target, f"torn-{number}")
                plans = [staging.plan(held, table, slices=2) for table in ("credits", "debits")]
                both = [tables.submit(stager.stage_slices, plan) for plan in plans]
                credit, debit = (one.result() for one in both)
            assert credit.rows == debit.rows == ROWS
            assert credit.sums["amount"] == -debit.sums["amount"]
            seen.add(credit.sums["amount"])
            assert moved() > before, "nothing was written meanwhile"
    assert len(seen) == 2
