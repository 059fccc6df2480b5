"""MariaDB in the local stack: read-only for the reader, mended with its data, and gone after it was wiped."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import pymysql
import pytest

from etl.settings import SourceSettings
from scripts.issuer.database import SynthRefused
from scripts.issuer.mysql import column_type
from scripts.local_stack.mariadb import DATABASE, OWNER, PART, READER, MariaDb
from scripts.local_stack.processes import LOOPBACK, Identity, wait_until
from scripts.local_stack.state import State, locked

pytestmark = pytest.mark.stack


@dataclass(frozen=True)
class Own:
    """A server that belongs to this module alone."""

    root: Path
    state: State
    server: MariaDb

    def execute(self, role: str, statement: str) -> list[tuple[object, ...]]:
        """Runs a statement as a role, as programs do: with the password from its file."""
        secret = Path(self.server.password(role).removeprefix("file:")).read_text(encoding="ascii")
        with closing(
            pymysql.connect(host=LOOPBACK, port=self.state.port(PART) or 0, user=role, password=secret, autocommit=True)
        ) as connection:
            cursor = connection.cursor()
            cursor.execute(statement)
            return list(cursor.fetchall())


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Own]:
    """Yields a stack's folder in which only MariaDB runs; when it is wiped, nothing is left."""
    folder = tmp_path_factory.mktemp("mariadb")
    (folder / "logs").mkdir()
    with locked(folder) as state:
        server = MariaDb(folder, state)
        assert not server.wanted
        server.up()
        try:
            yield Own(folder, state, server)
        finally:
            server.down()
            place = state.place(PART)
            server.wipe()
            assert place is not None
            assert not place.exists()
            assert not server.wanted


def test_the_reader_reads_and_does_nothing_else(own: Own) -> None:
    """The owner writes in spite of `read_only`; the reader cannot, sees no other database, and needs its password."""
    own.execute(OWNER, f"CREATE TABLE {DATABASE}.kept AS SELECT '𠮷' AS sign")
    assert own.execute(READER, f"SELECT sign FROM {DATABASE}.kept") == [("𠮷",)]
    for forbidden in (
        f"INSERT INTO {DATABASE}.kept VALUES ('x')",
        "SELECT * FROM mysql.global_priv",
        "CREATE DATABASE d",
    ):
        with pytest.raises(pymysql.Error):
            own.execute(READER, forbidden)
    with pytest.raises(pymysql.Error):
        pymysql.connect(host=LOOPBACK, port=own.state.port(PART) or 0, user="root")
    assert SourceSettings(url=own.server.url(READER), password=own.server.password(READER)).engine == "mysql"


def test_temporary_tables_are_in_a_folder_of_its_own(own: Own) -> None:
    """A server that starts removes the temporary tables in its folder for them, so no two servers share one."""
    place = own.state.place(PART)
    assert place is not None
    assert own.execute(OWNER, "SELECT @@tmpdir") == [(str(place),)]


def test_a_killed_server_is_started_again_with_its_data(own: Own) -> None:
    """`up` leaves a running server alone and mends a killed one; its log quotes no statement."""
    own.execute(OWNER, f"CREATE OR REPLACE TABLE {DATABASE}.answer AS SELECT 42 AS answer")
    before = own.state.process(PART)
    own.server.up()
    assert own.state.process(PART) == before
    assert before is not None
    assert before != Identity.of(os.getpid())
    os.kill(before.pid, signal.SIGKILL)
    assert wait_until(lambda: not before.alive, 10)
    assert not own.server.healthy()
    own.server.up()
    assert own.execute(READER, f"SELECT answer FROM {DATABASE}.answer") == [(42,)]
    log = (own.root / "logs" / f"{PART}.log").read_text(encoding="utf-8")
    assert "ready for connections" in log
    assert "SELECT 42" not in log


def test_a_server_that_dies_comes_back_where_it_was(own: Own) -> None:
    """What was committed just before is there, and so is the server: at the port that settings name."""
    port = own.state.port(PART)
    for number in range(3):
        own.execute(OWNER, f"CREATE OR REPLACE TABLE {DATABASE}.last AS SELECT {number} AS number")
        own.server.kill()
        assert not own.server.healthy()
        own.server.up()
        assert own.execute(READER, f"SELECT number FROM {DATABASE}.last") == [(number,)]
    assert own.state.port(PART) == port


def test_every_type_of_the_copy_is_mapped_or_refused() -> None:
    """PostgreSQL's types become MySQL's by a written table; what it lacks is refused by name."""
    assert column_type("numeric(14,2)")[0] == "DECIMAL(14,2)"
    assert column_type("character varying(24)")[0] == "VARCHAR(24)"
    assert column_type("ledger.status", ["a", "it's"])[0] == "ENUM('a', 'it''s')"
    assert column_type("timestamp with time zone")[0] == "TIMESTAMP(6)"
    with pytest.raises(SynthRefused, match="interval"):
        column_type("interval")
