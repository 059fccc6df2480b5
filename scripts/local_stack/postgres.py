"""The issuer's database of the local stack: a PostgreSQL primary and its streaming hot standby, the "ETL endpoint"."""

from __future__ import annotations

import shutil
import signal
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import psycopg
from psycopg import sql

from scripts.local_stack import passwords, postgres_files
from scripts.local_stack.processes import LOOPBACK, LocalStackFailed, run, spawn, stop, wait_until
from scripts.local_stack.replay import has_replayed, written
from scripts.local_stack.state import State

DATABASE = "issuer"
PRIMARY, STANDBY = "primary", "standby"
OWNER, READER, ADMIN, REPLICATION = "issuer_app", "etl_reader", "postgres", postgres_files.REPLICATION
_PATIENCE = 30.0
_PAUSE = 0.5
_RUNS = "SELECT NOT pg_is_in_recovery()"
_FOLLOWS = "SELECT pg_is_in_recovery() AND EXISTS (SELECT FROM pg_stat_wal_receiver WHERE status = 'streaming')"
# The reader may connect and read what the owner creates, now or later. PUBLIC keeps nothing that it could lend it.
_GRANTS = (
    f"REVOKE ALL ON DATABASE {DATABASE} FROM PUBLIC",
    "REVOKE ALL ON SCHEMA public FROM PUBLIC",
    f"GRANT CONNECT ON DATABASE {DATABASE} TO {READER}",
    f"GRANT USAGE ON SCHEMA public TO {READER}",
    f"ALTER DEFAULT PRIVILEGES FOR ROLE {OWNER} GRANT USAGE ON SCHEMAS TO {READER}",
    f"ALTER DEFAULT PRIVILEGES FOR ROLE {OWNER} GRANT SELECT ON TABLES TO {READER}",
)


class Postgres:
    """The two servers of one stack.

    Args:
        root: folder of the stack; logs and passwords lie there, data too where the servers' account can reach it.
        state: what the stack remembers.
    """

    def __init__(self, root: Path, state: State) -> None:
        self._root = root
        self._state = state
        self._secrets = root / "secrets"

    @property
    def passfile(self) -> Path:
        """Returns the password file of the roles that programs use."""
        return self._secrets / "pgpass"

    def url(self, part: str, role: str) -> str:
        """Returns the address of a server for a role, without a password."""
        return f"postgresql://{role}@{LOOPBACK}:{self._state.port(part)}/{DATABASE}?passfile={self.passfile}"

    def up(self) -> None:
        """Creates what is missing, starts what does not run, and returns when the standby follows the primary."""
        place = self._state.place("postgres")
        if place is None or not (place / "created").exists():
            self._create()
        elif not self.healthy():
            self._start()

    def healthy(self) -> bool:
        """Tells whether the primary takes writes and the standby follows it."""
        return all(self.health().values())

    def health(self) -> dict[str, bool]:
        """Tells of each server whether it does its work."""
        questions = {PRIMARY: _RUNS, STANDBY: _FOLLOWS}
        return {part: bool(self._state.process(part)) and self._says(part, ask) for part, ask in questions.items()}

    def down(self) -> None:
        """Stops both servers, the standby first, so that it has received everything."""
        for part in (STANDBY, PRIMARY):
            if process := self._state.process(part):
                stop(process, signal.SIGINT)  # fast shutdown: does not wait for clients
            self._state.stopped(part)

    def promote(self) -> None:
        """Makes the standby a primary of its own, as a failover does."""
        binary = str(postgres_files.binaries() / "pg_ctl")
        self._run([binary, "promote", "--wait", f"--pgdata={self._place / STANDBY}"])

    def renew_standby(self) -> None:
        """Copies the primary anew; returns when the copy, on the standby's port, follows it."""
        if process := self._state.process(STANDBY):
            stop(process, signal.SIGINT)
        self._state.stopped(STANDBY)
        self._run(["rm", "-rf", str(self._place / STANDBY)])
        source = (
            f"host={LOOPBACK} port={self._state.port(PRIMARY)} user={REPLICATION} "
            f"passfile={self._place / 'replication'}"
        )
        binary = str(postgres_files.binaries() / "pg_basebackup")
        into = ["--pgdata", str(self._place / STANDBY), "--checkpoint=fast", "--no-sync", "--wal-method=stream"]
        self._run([binary, "--dbname", source, *into])
        self._start()

    def wipe(self) -> None:
        """Removes data and passwords."""
        if place := self._state.place("postgres"):
            shutil.rmtree(place, ignore_errors=True)
        shutil.rmtree(self._secrets, ignore_errors=True)

    def _create(self) -> None:
        """Makes both clusters out of one `initdb`: a copy of a primary that never ran is its standby."""
        self.down()
        self.wipe()
        user = postgres_files.account()
        place = self._state.put_at("postgres", postgres_files.make_place(self._root / "postgres", user))
        passwords.create(self._secrets / "admin", [ADMIN])
        passwords.create(self.passfile, [OWNER, READER])
        passwords.create(place / "replication", [REPLICATION], owner=user)
        once = place / "initial"
        passwords.write_private(once, passwords.read(self._secrets / "admin")[ADMIN], owner=user)
        own = [f"--username={ADMIN}", f"--pwfile={once}", "--auth=scram-sha-256", f"--pgdata={place / PRIMARY}"]
        self._run([str(postgres_files.binaries() / "initdb"), "--no-sync", "--locale=C", "--encoding=UTF8", *own])
        once.unlink()
        self._run(["cp", "-a", str(place / PRIMARY), str(place / STANDBY)])
        self._start(prepare=True)
        (place / "created").touch()

    def _start(self, *, prepare: bool = False) -> None:
        before = self._state.port(PRIMARY)
        self._ensure(PRIMARY)
        if self._state.port(PRIMARY) != before and (standby := self._state.process(STANDBY)):
            stop(standby, signal.SIGINT)  # it follows a port where nobody is any more
        self._ensure(STANDBY)
        self._await(PRIMARY, _RUNS, "The primary does not take connections.")
        if prepare:
            self._prepare()
        self._await(STANDBY, _FOLLOWS, "The standby does not follow the primary.")
        if prepare:
            self._catch_up()

    def _ensure(self, part: str) -> None:
        if self._state.process(part):
            return
        data = self._place / part
        port = self._state.choose_port(part)
        primary = self._state.port(PRIMARY) if part == STANDBY else None
        postgres_files.configure(data, port=port, primary=(primary, self._place / "replication") if primary else None)
        program = str(postgres_files.binaries() / "postgres")
        user = postgres_files.account()
        self._state.started(part, spawn([program, "-D", str(data)], log=self._log(part), user=user))

    def _await(self, part: str, question: str, otherwise: str) -> None:
        again = time.monotonic()

        def ready() -> bool:
            nonlocal again
            if (
                time.monotonic() > again
            ):  # after a kill, the last backends hold its memory for a moment and make it give up
                self._ensure(part)
                again = time.monotonic() + _PAUSE
            return self._says(part, question)

        if not wait_until(ready, _PATIENCE):
            raise LocalStackFailed(otherwise, not_done="The local stack is not up.", where={"log": self._log(part)})

    def _prepare(self) -> None:
        known = {**passwords.read(self.passfile), **passwords.read(self._place / "replication")}
        self._execute("postgres", [
            f"SELECT pg_create_physical_replication_slot('{postgres_files.SLOT}')",
            *(f"CREATE ROLE {role} LOGIN {'REPLICATION' if role == REPLICATION else ''} PASSWORD '{secret}'"
              for role, secret in known.items()),
            f"CREATE DATABASE {DATABASE} OWNER {OWNER}",
        ])  # fmt: skip
        self._execute(DATABASE, _GRANTS)

    def _catch_up(self) -> None:
        with self._connect(PRIMARY) as primary:
            reached = has_replayed(written(primary))
        self._await(STANDBY, reached, "The standby lags behind the primary.")

    def _execute(self, database: str, statements: Sequence[str]) -> None:
        with self._connect(PRIMARY, database) as connection:
            for statement in statements:
                connection.execute(sql.SQL(statement))

    def _says(self, part: str, question: str) -> bool:
        with suppress(psycopg.Error), self._connect(part) as connection:
            return connection.execute(sql.SQL(question)).fetchone() == (True,)
        return False

    def _connect(self, part: str, database: str = "postgres") -> psycopg.Connection[tuple[object, ...]]:
        return psycopg.connect(
            host=LOOPBACK,
            port=self._state.port(part),
            user=ADMIN,
            dbname=database,
            passfile=str(self._secrets / "admin"),
            connect_timeout=3,
            autocommit=True,
        )

    @property
    def _place(self) -> Path:
        return self._state.place("postgres") or self._root / "postgres"

    def _log(self, part: str) -> Path:
        return self._root / "logs" / f"{part}.log"

    def _run(self, command: Sequence[str]) -> None:
        done = run(command, log=self._log("create"), user=postgres_files.account())
        if done != 0:
            raise LocalStackFailed(
                f"{Path(command[0]).name} ended with {done}.",
                not_done="The database is not what it should be.",
                where={"log": self._log("create")},
            )
