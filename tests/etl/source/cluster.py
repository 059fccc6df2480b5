"""A primary and its standby that tests pause, promote, crowd and lock; two tables whose amounts add up to 0."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Collection, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any

import psycopg

from etl.settings import Settings, SourceSettings
from schemas.contract import Contract
from schemas.contract_file import load_contracts
from scripts.local_stack.postgres import PRIMARY, READER, STANDBY, Postgres
from scripts.local_stack.processes import LOOPBACK, wait_until
from scripts.local_stack.replay import follows, written
from scripts.local_stack.state import State

ROWS = 20_000
NOTE = 1_500
PATIENCE_SECONDS = 20
TABLES = ("credits", "debits", "wide")
_SCHEMA = (
    "CREATE SCHEMA pair",
    f"CREATE TABLE pair.credits AS SELECT n::int8 AS id, n::numeric(12,0) AS amount FROM generate_series(1, {ROWS}) n",
    "CREATE TABLE pair.debits AS SELECT id, -amount AS amount FROM pair.credits",
    f"CREATE TABLE pair.wide AS SELECT *, repeat('n', {NOTE}) AS note FROM pair.credits",
    *(f"ALTER TABLE pair.{table} ADD PRIMARY KEY (id), ALTER amount TYPE numeric(12,0)" for table in TABLES),
    f"GRANT USAGE ON SCHEMA pair TO {READER}",
    f"GRANT SELECT ON ALL TABLES IN SCHEMA pair TO {READER}",
    "VACUUM (FREEZE, ANALYZE)",
)
_CONTRACT = """
table: {table}
about: One side of every transfer, or rows of some width.
source: pair.{table}
publish: {dataset}.{table}
load: {{mode: full}}
key: [id]
reconcile: [amount]
columns:
  id:     {{type: int64, class: none, mask: {{strategy: keep, why: a made-up number}}}}
  amount: {{type: "numeric(12,0)", class: none, mask: {{strategy: keep, why: what is compared}}}}
"""
_NOTE = """\
  note:   {type: string, class: none, mask: {strategy: keep, why: made-up text of one letter}}
"""
OURS = "application_name LIKE 'kagemusha%'"


class Cluster:
    """The two servers, and what can happen to them.

    Args:
        root: the folder of their data.
    """

    def __init__(self, root: Path) -> None:
        (root / "logs").mkdir(parents=True, exist_ok=True)
        self._root, self._state = root, State(root)
        self._servers = Postgres(root, self._state)

    def mend(self) -> None:
        """Makes both servers what they were at first, unless they are."""
        if self._servers.healthy():
            return
        self._servers.down()
        self._servers.wipe()
        self._servers.up()
        with self.admin(PRIMARY) as connection:
            for statement in _SCHEMA:
                connection.execute(statement.encode())
        self.catch_up()

    def end(self) -> None:
        """Stops both and removes their data."""
        self._servers.down()
        self._servers.wipe()

    def source(self, part: str = STANDBY, **changes: object) -> SourceSettings:
        """Returns the settings that read a server: the standby, which may be read."""
        url = self._servers.url(part, READER)
        return SourceSettings.model_validate({"url": url, "local": True, "connect_seconds": 10, **changes})

    def settings(self, stack: Settings, **changes: object) -> Settings:
        """Returns a stack's settings, but for the database."""
        return stack.model_copy(update={"source": self.source(**changes)})

    @contextmanager
    def admin(self, part: str) -> Iterator[psycopg.Connection[tuple[Any, ...]]]:
        """Opens a superuser's session on a server."""
        with psycopg.connect(
            host=LOOPBACK,
            port=self._state.port(part),
            user="postgres",
            dbname="issuer",
            passfile=str(self._root / "secrets" / "admin"),
            autocommit=True,
        ) as connection:
            yield connection

    def ask(self, part: str, sql: str) -> Any:
        """Returns the only value of a query."""
        with self.admin(part) as connection:
            return (connection.execute(sql.encode()).fetchone() or (None,))[0]

    def await_standby(self, condition: str) -> None:
        """Returns when a condition holds on the standby."""
        with self.admin(STANDBY) as connection:
            question = f"SELECT {condition}".encode()
            assert wait_until(lambda: connection.execute(question).fetchone() == (True,), PATIENCE_SECONDS), condition

    @property
    def passfile(self) -> Path:
        """Returns the password file of the roles that programs use."""
        return self._servers.passfile

    @property
    def data(self) -> Path:
        """Returns the data directory of the standby."""
        place = self._state.place("postgres")
        assert place is not None
        return place / STANDBY

    @property
    def logs(self) -> list[Path]:
        """Returns the servers' logs."""
        return sorted((self._root / "logs").iterdir())

    def change_password(self, password: str) -> None:
        """Sets another password for the ETL user, on both servers."""
        with self.admin(PRIMARY) as connection:
            connection.execute(f"ALTER ROLE {READER} PASSWORD '{password}'".encode())
        self.catch_up()

    def change(self, *statements: str) -> None:
        """Runs statements on the primary, and returns when the standby has what they did."""
        with self.admin(PRIMARY) as connection:
            for statement in statements:
                connection.execute(statement.encode())
        self.catch_up()

    def flush(self) -> None:
        """Lets the primary send what it has written so far, instead of when it next has a reason to."""
        with self.admin(PRIMARY) as connection:
            written(connection)

    def catch_up(self) -> None:
        """Returns when the standby has replayed all that the primary did."""
        with self.admin(PRIMARY) as connection:
            assert follows(connection, lambda question: self.ask(STANDBY, question), PATIENCE_SECONDS)

    def end_sessions(self, condition: str) -> None:
        """Ends the sessions of the standby that a condition on pg_stat_activity names."""
        with self.admin(STANDBY) as connection:
            ended = f"SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity WHERE {condition}"
            assert connection.execute(ended.encode()).rowcount > 0

    @contextmanager
    def configured(self, **settings: str) -> Iterator[None]:
        """Changes settings of the standby while the block runs."""
        self._configure({name: f"= '{value}'" for name, value in settings.items()})
        try:
            yield
        finally:
            self._configure(dict.fromkeys(settings))

    def _configure(self, settings: dict[str, str | None]) -> None:
        with self.admin(STANDBY) as connection:
            for name, value in settings.items():
                change = f"SET {name} {value}" if value else f"RESET {name}"
                connection.execute(f"ALTER SYSTEM {change}".encode())
            connection.execute("SELECT pg_reload_conf()")

    @contextmanager
    def locked(self, *tables: str) -> Iterator[None]:
        """Holds tables so that no query on the standby gets to a row of them while the block runs."""
        with self.admin(PRIMARY) as connection, connection.transaction():
            for table in tables:
                connection.execute(f"LOCK TABLE pair.{table} IN ACCESS EXCLUSIVE MODE".encode())
            self.flush()
            held = f"(SELECT count(*) = {len(tables)} FROM pg_locks WHERE mode = 'AccessExclusiveLock' AND granted)"
            self.await_standby(held)
            yield

    def conflict(self, table: str) -> None:
        """Lets the standby's replay run into whoever reads a table there, and go on when it has canceled them."""
        with self.admin(PRIMARY) as connection, connection.transaction():
            connection.execute(f"LOCK TABLE pair.{table} IN ACCESS EXCLUSIVE MODE".encode())
            self.flush()
            self.await_standby("EXISTS (SELECT FROM pg_locks WHERE mode = 'AccessExclusiveLock')")
        self.flush()

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Lets no process of the standby run while the block does, as behind a network that lost it."""
        server = self._state.process(STANDBY)
        assert server is not None
        stopped: set[int] = set()
        try:
            while fresh := {server.pid, *_children(server.pid)} - stopped:
                stopped |= fresh
                _signal_all(fresh, signal.SIGSTOP)
            yield
        finally:
            _signal_all(stopped, signal.SIGCONT)

    def promote(self) -> None:
        """Makes the standby a primary."""
        assert self.ask(STANDBY, "SELECT pg_promote(true, 20)")

    def restart_standby(self) -> Callable[[], None]:
        """Stops the standby, and returns what starts it again."""
        server = self._state.process(STANDBY)
        assert server is not None
        os.kill(server.pid, signal.SIGINT)
        assert wait_until(lambda: not server.alive, PATIENCE_SECONDS)
        return self._servers.up

    @contextmanager
    def crowded(self) -> Iterator[Callable[[], None]]:
        """Takes every session that the standby has while the block runs; yields what lets them go."""
        with ExitStack() as sessions:
            try:
                while True:
                    sessions.enter_context(psycopg.connect(self._servers.url(STANDBY, READER), autocommit=True))
            except psycopg.OperationalError:
                yield sessions.close

    @contextmanager
    def transferring(self, giver: str = "debits", taker: str = "credits") -> Iterator[Callable[[], int]]:
        """Moves amounts from one table to the other, in one transaction each, while the block runs.

        The block gets a function that tells how many transactions were committed. The end of the block raises what went
        wrong with one, such as a wait for a lock.
        """
        ended, moved = threading.Event(), [0]

        def move() -> None:
            with self.admin(PRIMARY) as connection:
                connection.execute("SET lock_timeout = '1s'")
                while not ended.is_set():
                    row = moved[0] * 7919 % ROWS + 1
                    with connection.transaction():
                        for table, amount in ((taker, 1000), (giver, -1000)):
                            change = f"UPDATE pair.{table} SET amount = amount + %s WHERE id = %s"
                            connection.execute(change.encode(), (amount, row))
                    moved[0] += 1

        with ThreadPoolExecutor(1) as writer:
            writing = writer.submit(move)
            try:
                yield lambda: moved[0]
            finally:
                ended.set()
            writing.result()


def pair_contracts(folder: Path, dataset: str = "pair") -> dict[str, Contract]:
    """Writes the contracts of the three tables into a folder and returns them."""
    folder.mkdir(exist_ok=True)
    for table in TABLES:
        text = _CONTRACT.format(table=table, dataset=dataset) + (_NOTE if table == "wide" else "")
        (folder / f"{table}.yaml").write_text(text, encoding="utf-8")
    return load_contracts(folder)


def _signal_all(pids: Collection[int], number: signal.Signals) -> None:
    """Sends a signal to processes; a session may have ended meanwhile, and the others must get it all the same."""
    for pid in pids:
        with suppress(ProcessLookupError):
            os.kill(pid, number)


def _children(pid: int) -> set[int]:
    found = set()
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                fields = (entry / "stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
            except OSError:
                continue  # it has just ended
            if int(fields[1]) == pid:
                found.add(int(entry.name))
    return found
