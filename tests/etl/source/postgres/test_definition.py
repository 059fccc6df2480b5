"""What a table is stays what was planned: whatever is done to it in the middle of a run, no row of it goes on."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from pyspark.sql import SparkSession

from etl.errors import SourceChanged
from etl.plan import Scope, TablePlan, plan_table
from etl.plan.foreign import SourceForeign, refuse_foreign
from etl.source import HeldSnapshot, hold_snapshot, join_snapshot
from etl.source.snapshot import SnapshotLost
from etl.stage import Stager
from schemas.contract import Contract
from schemas.contract_file import load_contract
from scripts.local_stack.postgres import PRIMARY, READER, STANDBY
from tests.etl.source.cluster import Cluster
from tests.etl.source.conftest import DAY, Staging

pytestmark = pytest.mark.stack
ROWS = 50
SCHEMA = (
    "DROP SCHEMA IF EXISTS held, held_before, other CASCADE",
    "CREATE SCHEMA held",
    "CREATE SCHEMA other",
    "CREATE TABLE held.cards (id int8 PRIMARY KEY, label text, number text)",
    f"INSERT INTO held.cards SELECT n, 'card ' || n, '4111111111111111' FROM generate_series(1, {ROWS}) n",
    "CREATE TABLE held.spare (LIKE held.cards)",
    "CREATE TABLE other.cards (LIKE held.cards)",
    "INSERT INTO held.spare SELECT id, number, label FROM held.cards",
    "INSERT INTO other.cards SELECT id, number, label FROM held.cards",
    "CREATE VIEW held.shown AS SELECT id, label, number FROM held.cards",
    "CREATE TABLE held.parted (id int8, label text, number text) PARTITION BY RANGE (id)",
    "CREATE TABLE held.parted_1 PARTITION OF held.parted FOR VALUES FROM (0) TO (1000)",
    "CREATE TABLE held.parted_2 (LIKE held.parted)",
    "INSERT INTO held.parted SELECT * FROM held.cards",
    "INSERT INTO held.parted_2 SELECT id + 1000, label, number FROM held.cards",
    "CREATE TABLE held.family (id int8, label text, number text)",
    "CREATE TABLE held.child () INHERITS (held.family)",
    "CREATE TABLE held.heir (LIKE held.cards)",
    "INSERT INTO held.heir SELECT id, 'not of the ' || label, number FROM held.cards",
    f"GRANT USAGE ON SCHEMA held, other TO {READER}",
    f"GRANT SELECT ON ALL TABLES IN SCHEMA held, other TO {READER}",
)
TRADED = (
    "ALTER TABLE held.cards RENAME label TO was",
    "ALTER TABLE held.cards RENAME number TO label",
    "ALTER TABLE held.cards RENAME was TO number",
)
SWAPPED = ("ALTER TABLE held.cards RENAME TO gone", "ALTER TABLE held.spare RENAME TO cards")
VIEWED = (
    "ALTER TABLE held.cards RENAME TO gone",
    "CREATE VIEW held.cards AS SELECT id, number AS label, number FROM held.gone",
    f"GRANT SELECT ON held.cards TO {READER}",
)
MOVED = ("ALTER SCHEMA held RENAME TO held_before", "ALTER SCHEMA other RENAME TO held")
RELOADED = ("TRUNCATE held.cards", "INSERT INTO held.cards SELECT * FROM held.spare")
RETYPED = ("ALTER TABLE held.cards ALTER label TYPE varchar(40) USING 'label ' || id",)
COMES_IN = ("ALTER TABLE held.parted ATTACH PARTITION held.parted_2 FOR VALUES FROM (1000) TO (2000)",)
CHANGES = {
    "columns trade names": ("cards", TRADED),
    "another table takes the name": ("cards", SWAPPED),
    "a view takes the name": ("cards", VIEWED),
    "another schema takes the name": ("cards", MOVED),
    "the table is gone": ("cards", ("DROP TABLE held.cards CASCADE",)),
    "truncated": ("cards", ("TRUNCATE held.cards",)),
    "truncated and loaded again": ("cards", RELOADED),
    "rewritten by another type": ("cards", ("DROP VIEW held.shown", *RETYPED)),
    "rewritten as it is": ("cards", ("VACUUM FULL held.cards",)),
    "a column more": ("cards", ("ALTER TABLE held.cards ADD pin text",)),
    "the table under a view is truncated": ("shown", ("TRUNCATE held.cards",)),
    "columns under a view trade names": ("shown", TRADED),
    "a leaf is truncated": ("parted", ("TRUNCATE held.parted_1",)),
    "a leaf is gone": ("parted", ("ALTER TABLE held.parted DETACH PARTITION held.parted_1",)),
    "a leaf with rows comes in": ("parted", COMES_IN),
}
FUNCTION = (
    "CREATE OR REPLACE FUNCTION held.{name}(text) RETURNS text STABLE LANGUAGE plpgsql AS $$BEGIN RETURN {value}; END$$"
)
ODD = "held.odd$kagemusha$\" LIMIT 0; END$kagemusha$; --'\\"
ALSO_BY_JDBC = ("columns trade names", "another table takes the name", "truncated", "a leaf is truncated")
CONTRACT = """
table: {table}
about: Cards, of which the number does not leave the database.
source: held.{table}
publish: held.{table}
load: {{mode: full}}
key: [id]
columns:
  id:     {{type: int64, class: none, mask: {{strategy: keep, why: a made-up number}}}}
  label:  {{type: string, class: none, mask: {{strategy: keep, why: a made-up word}}}}
  number: {{type: string, class: pan, mask: {{strategy: drop}}}}
"""


@pytest.fixture
def held(cluster: Cluster) -> Iterator[Cluster]:
    """Yields the cluster with tables that a test may change as it likes."""
    cluster.change(*SCHEMA)
    yield cluster
    cluster.change("DROP SCHEMA IF EXISTS held, held_before, other CASCADE")


def contract(tmp_path: Path, table: str, more: str = "") -> Contract:
    """Returns the contract of one of the tables."""
    path = tmp_path / f"{table}.yaml"
    path.write_text(CONTRACT.format(table=table) + more, encoding="utf-8")
    return load_contract(path)


def planned(snapshot: HeldSnapshot, found: Contract) -> TablePlan:
    """Plans a table, as one slice."""
    with join_snapshot(snapshot.snapshot, [found.source]) as session:
        plan = plan_table(session, found, Scope(DAY), 1 << 40)
    return replace(plan, slices=plan.slices[:1])


def until_lost(snapshot: HeldSnapshot) -> None:
    """Looks again and again, until what is held is lost."""
    while True:
        snapshot.check()


@pytest.mark.parametrize(
    ("what", "reader"), [*((what, "adbc") for what in CHANGES), *((what, "jdbc") for what in ALSO_BY_JDBC)]
)
def test_a_changed_table_is_not_read(
    held: Cluster, staging: Staging, spark: SparkSession, tmp_path: Path, what: str, reader: str
) -> None:
    """Between plan and read a table becomes another one: its slices end with exit code 3, and no value is told."""
    table, statements = CHANGES[what]
    with hold_snapshot(held.source(reader=reader)) as snapshot:
        plan = planned(snapshot, contract(tmp_path, table))
        held.change(*statements)
        stager = Stager(spark, snapshot, staging.key, staging.target, f"changed-{reader}")
        with pytest.raises(SourceChanged, match=rf"held\.{table} is not what the snapshot knows") as refused:
            stager.stage_slices(plan)
    assert refused.value.exit_code == 3
    assert "4111" not in str(refused.value)


@pytest.mark.parametrize("reader", ["adbc", "jdbc"])
def test_an_unchanged_table_is_read(
    held: Cluster, staging: Staging, spark: SparkSession, tmp_path: Path, reader: str
) -> None:
    """Rows that change, new indexes and statistics are no change of a table: the snapshot's rows are staged."""
    for table in ("cards", "shown", "parted"):
        with hold_snapshot(held.source(reader=reader)) as snapshot:
            plan = planned(snapshot, contract(tmp_path, table))
            held.change("UPDATE held.cards SET label = 'new'", "CREATE INDEX ON held.cards (label)")
            held.change("ANALYZE held.cards", "VACUUM held.cards")
            staged, totals = Stager(spark, snapshot, staging.key, staging.target, f"same-{reader}").stage(plan)
        assert staged.rows == totals.rows == ROWS


@pytest.mark.parametrize(("table", "heir_of"), [("cards", "cards"), ("shown", "cards"), ("family", "child")])
def test_rows_of_a_new_heir_are_not_published(
    held: Cluster, staging: Staging, spark: SparkSession, tmp_path: Path, table: str, heir_of: str
) -> None:
    """A table that inherits from one in the middle of a run is read with it, and noticed when totals are counted."""
    with hold_snapshot(held.source(), tables=[f"held.{table}"]) as snapshot:
        plan = planned(snapshot, contract(tmp_path, table))
        held.change(f"ALTER TABLE held.heir INHERIT held.{heir_of}")
        with pytest.raises(SourceChanged, match=rf"held\.{table} is not what the snapshot knows"):
            Stager(spark, snapshot, staging.key, staging.target, f"heir-{table}").stage(plan)


def test_a_view_of_another_meaning_is_not_read(
    held: Cluster, staging: Staging, spark: SparkSession, tmp_path: Path
) -> None:
    """A view that is replaced by one of the same columns is another one when its totals are counted, if not before."""
    with hold_snapshot(held.source()) as snapshot:
        plan = planned(snapshot, contract(tmp_path, "shown"))
        held.change("CREATE OR REPLACE VIEW held.shown AS SELECT id, 'no ' || label AS label, number FROM held.cards")
        with pytest.raises(SourceChanged):
            Stager(spark, snapshot, staging.key, staging.target, "view").stage(plan)


@pytest.mark.parametrize("name", ["told", "inner"])
def test_a_function_of_another_meaning_is_noticed(
    held: Cluster, staging: Staging, spark: SparkSession, tmp_path: Path, name: str
) -> None:
    """A view's rows come from its functions too, and from those that these call."""
    held.change(
        FUNCTION.format(name="inner", value="$1"),
        FUNCTION.format(name="told", value="held.inner($1)"),
        "CREATE VIEW held.computed AS SELECT id, held.told(label) AS label, number FROM held.cards",
        f"GRANT SELECT ON held.computed TO {READER}",
    )
    with hold_snapshot(held.source(), tables=["held.computed"]) as snapshot:
        plan = planned(snapshot, contract(tmp_path, "computed"))
        held.change(FUNCTION.format(name=name, value="'another ' || $1"))
        with pytest.raises(SourceChanged):
            Stager(spark, snapshot, staging.key, staging.target, f"function-{name}").stage(plan)


@pytest.mark.parametrize("reader", ["adbc", "jdbc"])
def test_no_name_ends_a_proof(
    held: Cluster, staging: Staging, spark: SparkSession, tmp_path: Path, reader: str
) -> None:
    """Whatever a table is called, its name is a name, and the table is proven like any other."""
    named = ".".join('"' + part.replace('"', '""') + '"' for part in ODD.split("."))
    held.change(f"CREATE TABLE {named} AS SELECT * FROM held.cards", f"GRANT SELECT ON {named} TO {READER}")
    odd = contract(tmp_path, "cards").model_copy(update={"source": ODD})
    with hold_snapshot(held.source(reader=reader)) as snapshot:
        plan = planned(snapshot, odd)
        stager = Stager(spark, snapshot, staging.key, staging.target, f"odd-{reader}")
        assert stager.stage(plan)[0].rows == ROWS
        held.change(f"TRUNCATE {named}")
        with pytest.raises(SourceChanged):
            stager.stage_slices(plan)


def test_a_table_that_changed_before_the_plan_is_not_planned(held: Cluster, tmp_path: Path) -> None:
    """The snapshot's catalogue still has the columns that the contract knows, but the rows are read by the new ones."""
    with hold_snapshot(held.source()) as snapshot:
        held.change(*TRADED)
        with pytest.raises(SourceChanged, match="is not what the snapshot knows"):
            planned(snapshot, contract(tmp_path, "cards"))


def test_tables_are_locked_from_the_plan_on(held: Cluster, tmp_path: Path) -> None:
    """A change of a table waits for the run, which says so; it is let go before the reader lags more than it may."""
    said: list[tuple[str, dict[str, object]]] = []
    tables = ["held.shown", "held.parted", "held.not_there"]
    with (
        held.configured(max_standby_streaming_delay="-1"),
        hold_snapshot(
            held.source(max_lag_seconds=1), say=lambda *what: said.append(what), every=0.1, tables=tables
        ) as snapshot,
    ):
        planned(snapshot, contract(tmp_path, "shown"))
        locked = "SELECT count(DISTINCT relation) FROM pg_locks WHERE mode = 'AccessShareLock' AND relation IN "
        names = "('held.shown'::regclass, 'held.cards'::regclass, 'held.parted'::regclass, 'held.parted_1'::regclass)"
        assert held.ask(STANDBY, locked + names) == 4
        with held.admin(PRIMARY) as primary:
            primary.execute("TRUNCATE held.cards")
        held.flush()
        with pytest.raises(SnapshotLost, match="replay has waited for it for 1 s") as lost:
            until_lost(snapshot)
        held.catch_up()  # while the run is still there: its locks are not
    assert lost.value.exit_code == 3
    assert next(counts["warning"] for _, counts in said if "warning" in counts) == (
        "The reader's replay waits for this run's locks: somebody changes a table that is read."
    )


def test_a_standby_that_does_not_wait_ends_the_run(held: Cluster) -> None:
    """Where the server cancels what its replay waits for, the run ends with exit code 3, and reads nothing more."""
    with (
        held.configured(max_standby_streaming_delay="0"),
        hold_snapshot(held.source(), every=0.1, tables=["held.cards"]) as snapshot,
    ):
        held.change("VACUUM FULL held.cards")
        with pytest.raises(SnapshotLost) as lost:
            snapshot.check()
        with pytest.raises(SnapshotLost), snapshot.governor.turn():
            raise AssertionError
    assert lost.value.exit_code == 3


def test_a_hold_ends_in_time(held: Cluster) -> None:
    """Nothing is held longer than the settings say."""
    with hold_snapshot(held.source(hold_seconds=0.2), every=0.05, tables=["held.cards"]) as snapshot:
        with pytest.raises(SnapshotLost, match=r"held for 0\.2 s, as long as \[source\]\.hold_seconds allows"):
            until_lost(snapshot)
        held.await_standby("NOT EXISTS (SELECT FROM pg_locks WHERE relation = 'held.cards'::regclass)")


def test_a_table_that_is_being_changed_is_not_read(held: Cluster) -> None:
    """A lock that is not to be had in time leaves the other tables alone; their locks and the snapshot stand."""
    with (
        held.configured(max_standby_streaming_delay="-1"),
        held.admin(PRIMARY) as primary,
        primary.transaction(),
    ):
        primary.execute("LOCK TABLE held.cards IN ACCESS EXCLUSIVE MODE")
        held.flush()
        held.await_standby("EXISTS (SELECT FROM pg_locks WHERE mode = 'AccessExclusiveLock' AND granted)")
        with hold_snapshot(held.source(lock_wait_seconds=0.2), tables=["held.cards", "held.parted"]) as snapshot:
            assert held.ask(STANDBY, "SELECT count(*) FROM pg_locks WHERE relation = 'held.parted'::regclass") == 1
            snapshot.check()
    refusal = snapshot.unlocked["held.cards"]
    assert list(snapshot.unlocked) == ["held.cards"]
    assert isinstance(refusal, SourceChanged)
    assert refusal.exit_code == 3


def test_foreign_tables_are_refused_unless_named(held: Cluster, tmp_path: Path) -> None:
    """A table of another server, also under a view, is read only where the contract names it."""
    server = "SERVER elsewhere FOREIGN DATA WRAPPER postgres_fdw OPTIONS (host '127.0.0.1', dbname 'issuer')"
    held.change(
        "CREATE EXTENSION postgres_fdw",
        f"CREATE {server}",
        "CREATE FOREIGN TABLE held.far (id int8, label text, number text) SERVER elsewhere",
        "CREATE VIEW held.near AS SELECT * FROM held.far",
        f"GRANT SELECT ON held.far, held.near TO {READER}",
    )
    try:
        with hold_snapshot(held.source(), tables=["held.far", "held.near"]) as snapshot:
            for table in ("far", "near"):
                with pytest.raises(SourceForeign, match=r"reads 1 tables of other servers: held\.far\.") as refused:
                    planned(snapshot, contract(tmp_path, table))
                assert refused.value.exit_code == 2
                with join_snapshot(snapshot.snapshot) as session:
                    named = contract(tmp_path, table, "foreign: [held.far]\n")
                    assert refuse_foreign(named, session.definition(f"held.{table}")) is not None
    finally:
        held.change("DROP EXTENSION postgres_fdw CASCADE")
