"""The guard lets readers through and nothing else."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any

import psycopg
import pytest
from pyspark.sql import SparkSession

from etl.settings import SourceSettings
from etl.source import hold_snapshot
from etl.source.endpoint import Endpoint
from etl.source.guard import EndpointRefused, ReaderChanged, still_the_reader
from etl.source.jdbc import postgres
from etl.source.postgres.connect import arrow_connection, control_connection, only_row
from etl.source.postgres.guard import PROOF_SQL, prove_reader
from etl.stage import Stager
from scripts.local_stack.postgres import PRIMARY, READER
from tests.etl.source.cluster import ROWS, Cluster
from tests.etl.source.conftest import Staging


def endpoint(host: str = "127.0.0.1") -> Endpoint:
    """Returns an endpoint on a host."""
    return Endpoint.of(SourceSettings(url=f"postgresql://etl@{host}:5432/issuer"))


def answers(
    *,
    recovery: bool,
    instance: str = "reader-1",
    aurora: str | None = None,
    version: int = 150004,
    writer: bool = False,
    ours: bool = True,
) -> Callable[[str], Sequence[object]]:
    """Returns a session that answers the guard's questions."""
    proof = (recovery, instance, version, aurora is not None, ours)
    return lambda sql: proof if sql == PROOF_SQL else (aurora, writer)


def test_a_standby_is_a_reader() -> None:
    """In recovery means reader; the instance is named."""
    assert prove_reader(answers(recovery=True), endpoint()).instance == "reader-1"


def test_the_writer_is_refused() -> None:
    """A session outside recovery is refused, and the error says that no row was read."""
    with pytest.raises(EndpointRefused, match="Connected to the writer") as refused:
        prove_reader(answers(recovery=False), endpoint())
    assert "No row was read." in str(refused.value)
    assert refused.value.exit_code == 2


def test_the_writer_endpoint_is_refused_by_name() -> None:
    """The cluster's writer endpoint is refused even while it happens to answer from a reader."""
    with pytest.raises(EndpointRefused, match="writer endpoint"):
        prove_reader(answers(recovery=True), endpoint("db.cluster-abc123.ap-northeast-1.rds.amazonaws.com"))


def test_other_instances_are_refused() -> None:
    """With an allow list, only its instances may be read; Aurora's own name counts."""
    with pytest.raises(EndpointRefused, match="not among the 1 allowed"):
        prove_reader(answers(recovery=True, aurora="db-2"), endpoint(), ["db-1"])
    assert prove_reader(answers(recovery=True, aurora="db-1"), endpoint(), ["db-1"]).instance == "db-1"


def test_witnesses_must_agree() -> None:
    """An instance that Aurora itself calls the writer is refused, whatever its SQL says of recovery."""
    with pytest.raises(EndpointRefused, match="Aurora calls it the writer"):
        prove_reader(answers(recovery=True, aurora="db-1", writer=True), endpoint())


def test_a_session_that_lost_its_settings_is_refused() -> None:
    """A pooler that hands out other people's sessions is refused: nothing that we set can be relied upon."""
    with pytest.raises(EndpointRefused, match="does not have the settings that it was opened with") as refused:
        prove_reader(answers(recovery=True, ours=False), endpoint())
    assert refused.value.exit_code == 2


def test_old_servers_are_refused() -> None:
    """Below the floor a server is refused with both versions, however well it reads."""
    with pytest.raises(EndpointRefused, match="120019 is older than 130000"):
        prove_reader(answers(recovery=True, version=120019), endpoint())


@pytest.mark.parametrize(
    ("now", "reason"),
    [
        ({"recovery": False}, "connected to the writer"),
        ({"recovery": True, "instance": "reader-2"}, "another server answers"),
        ({"recovery": True, "version": 150005}, "another server answers"),
    ],
)
def test_a_change_in_the_middle_of_a_run_asks_for_another_run(now: dict[str, Any], reason: str) -> None:
    """What is refused for good at the start is transient later: the next run looks at the endpoint anew."""
    pinned = prove_reader(answers(recovery=True), endpoint())
    still_the_reader(lambda: prove_reader(answers(recovery=True), endpoint()), endpoint(), pinned)
    with pytest.raises(ReaderChanged, match=reason) as changed:
        still_the_reader(lambda: prove_reader(answers(**now), endpoint()), endpoint(), pinned)
    assert changed.value.exit_code == 3
    assert changed.value.__context__ is None


HOSTILE = (
    "CREATE SCHEMA hostile",
    "CREATE FUNCTION hostile.pg_is_in_recovery() RETURNS bool LANGUAGE sql AS 'SELECT true'",
    "CREATE FUNCTION hostile.current_setting(text) RETURNS text LANGUAGE sql AS $$SELECT '150000'::text$$",
    "CREATE FUNCTION hostile.current_setting(text, bool) RETURNS text LANGUAGE sql AS $$SELECT 'on'::text$$",
    "CREATE FUNCTION hostile.to_regproc(text) RETURNS regproc LANGUAGE sql AS 'SELECT NULL::regproc'",
    "CREATE FUNCTION hostile.pg_export_snapshot() RETURNS text LANGUAGE sql AS $$SELECT 'none'::text$$",
    "CREATE VIEW hostile.pg_class AS SELECT * FROM pg_catalog.pg_class WHERE false",
    "CREATE VIEW hostile.pg_attribute AS SELECT attrelid, attname FROM pg_catalog.pg_attribute WHERE false",
    "CREATE VIEW hostile.pg_stat_activity AS SELECT * FROM pg_catalog.pg_stat_activity WHERE false",
    "CREATE FUNCTION hostile.always(text, text) RETURNS bool LANGUAGE sql AS 'SELECT true'",
    "CREATE OPERATOR hostile.= (FUNCTION = hostile.always, LEFTARG = text, RIGHTARG = text)",
    f"GRANT USAGE ON SCHEMA hostile TO {READER}",
    f"GRANT SELECT ON ALL TABLES IN SCHEMA hostile TO {READER}",
    *(
        f"ALTER ROLE {READER} SET {setting}"
        for setting in (
            "search_path = hostile, pg_catalog",
            "row_security = on",
            "default_transaction_read_only = off",
            "standard_conforming_strings = off",
            "transform_null_equals = on",
            "timezone = 'Asia/Tokyo'",
        )
    ),
)
MENDED = (f"ALTER ROLE {READER} RESET ALL", "DROP SCHEMA IF EXISTS hostile CASCADE")


@pytest.fixture
def hostile(cluster: Cluster) -> Iterator[Cluster]:
    """Yields a cluster whose database lies to whoever looks names up in it, and whose role has defaults of its own."""
    cluster.change(*MENDED, *HOSTILE)
    yield cluster
    cluster.change(*MENDED)


@pytest.mark.stack
@pytest.mark.parametrize("reader", ["adbc", "jdbc"])
def test_no_object_of_a_user_makes_a_writer_a_reader(hostile: Cluster, reader: str) -> None:
    """A function that says so in a schema that the role looks into first changes nothing: the writer is refused."""
    with (
        pytest.raises(EndpointRefused, match="Connected to the writer") as refused,
        hold_snapshot(hostile.source(PRIMARY, reader=reader)),
    ):
        raise AssertionError
    assert refused.value.exit_code == 2


@pytest.mark.stack
def test_a_hostile_database_is_read_as_it_is(hostile: Cluster, staging: Staging, spark: SparkSession) -> None:
    """Whatever stands in the role's search path, and whatever its defaults, rows and totals are the tables' own."""
    for reader in ("adbc", "jdbc"):
        with hold_snapshot(hostile.source(reader=reader), tables=["pair.credits"]) as held:
            stager = Stager(spark, held, staging.key, staging.target, f"hostile-{reader}")
            staged, totals = stager.stage(staging.plan(held, "credits", slices=2))
        assert staged.rows == totals.rows == ROWS
        assert staged.sums == totals.sums


@pytest.mark.stack
def test_no_variable_says_where_a_session_goes(cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    """What libpq would take from the environment leads no session elsewhere, and changes nothing that it works by."""
    led = {"PGTZ": "Asia/Tokyo", "PGDATESTYLE": "SQL, DMY", "PGHOSTADDR": "127.0.0.9", "PGSERVICE": "elsewhere"}
    for name, value in {**led, "PGTARGETSESSIONATTRS": "read-write"}.items():
        monkeypatch.setenv(name, value)
    sql = "SELECT current_setting('timezone'), current_setting('datestyle'), inet_server_port()"
    with control_connection(Endpoint.of(cluster.source())) as session:
        asked = session.execute(sql.encode()).fetchone()
    for name, value in led.items():
        monkeypatch.setenv(name, value)
    with arrow_connection(Endpoint.of(cluster.source())) as session, session.cursor() as cursor:
        cursor.execute(sql)
        assert cursor.fetchone() == asked
    assert asked is not None
    assert asked[:2] == ("UTC", "ISO, MDY")


@pytest.mark.stack
def test_a_clock_of_the_server_s_own_is_noticed(cluster: Cluster) -> None:
    """A session whose time zone is not the one that it was opened with is refused, and so is one of another writing."""
    for setting in ("TimeZone = 'Asia/Tokyo'", "DateStyle = 'SQL, DMY'"):
        with control_connection(Endpoint.of(cluster.source())) as session:
            session.execute(f"SET {setting}".encode())
            with pytest.raises(EndpointRefused, match="does not have the settings that it was opened with"):
                prove_reader(partial(only_row, session), endpoint())


@pytest.mark.stack
def test_the_proof_of_spark_s_sessions_cannot_be_lied_to(hostile: Cluster) -> None:
    """The statement that prepares Spark's own sessions refuses the writer even where the path is the role's."""
    statement = postgres.proof_sql(None)
    with psycopg.connect(hostile.source(PRIMARY).url, autocommit=True) as session:
        session.execute("SET search_path = hostile, pg_catalog")
        with pytest.raises(psycopg.Error, match="not on a reader") as refused:
            session.execute(statement.encode())
    assert refused.value.sqlstate == postgres.NO_READER
