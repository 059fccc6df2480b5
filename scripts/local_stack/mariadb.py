"""The issuer's database in MySQL's dialect: one MariaDB server that is read-only for everybody but its owner."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
from contextlib import suppress
from pathlib import Path

import pymysql

from scripts.local_stack import passwords
from scripts.local_stack.postgres_files import make_place
from scripts.local_stack.processes import LOOPBACK, LocalStackFailed, free_port, run, spawn, stop, wait_until
from scripts.local_stack.state import State

PART = "mariadb"
DATABASE = "issuer"
OWNER, READER, ADMIN = "issuer_app", "etl_reader", "stack_admin"
_PATIENCE = 30.0
_SQL = f"""\
CREATE USER '{ADMIN}'@'{LOOPBACK}' IDENTIFIED BY '{{{ADMIN}}}';
GRANT ALL PRIVILEGES ON *.* TO '{ADMIN}'@'{LOOPBACK}' WITH GRANT OPTION;
CREATE USER '{OWNER}'@'{LOOPBACK}' IDENTIFIED BY '{{{OWNER}}}';
GRANT SELECT, INSERT, UPDATE, DELETE, CREATE, DROP, ALTER, INDEX, REFERENCES, CREATE VIEW, READ_ONLY ADMIN
    ON *.* TO '{OWNER}'@'{LOOPBACK}' WITH GRANT OPTION;
CREATE USER '{READER}'@'{LOOPBACK}' IDENTIFIED BY '{{{READER}}}';
GRANT SELECT ON {DATABASE}.* TO '{READER}'@'{LOOPBACK}';
CREATE DATABASE {DATABASE};
DELETE FROM mysql.global_priv WHERE User NOT IN ('{ADMIN}', '{OWNER}', '{READER}', 'mariadb.sys');
FLUSH PRIVILEGES;
"""
# A server log outlives its database, so statements are in none; durability is given up as for PostgreSQL.
_OPTIONS = (
    f"--bind-address={LOOPBACK}",
    "--skip-name-resolve",
    "--skip-log-bin",
    "--skip-general-log",
    "--skip-slow-query-log",
    "--log-warnings=1",
    "--read-only=ON",
    "--local-infile=ON",
    "--character-set-server=utf8mb4",
    "--collation-server=utf8mb4_bin",
    "--default-time-zone=+09:00",
    "--max-connections=100",
    "--performance-schema=OFF",
    "--innodb-buffer-pool-size=128M",
    "--innodb-log-file-size=256M",
    "--innodb-flush-log-at-trx-commit=2",
    "--innodb-doublewrite=OFF",
)


class MariaDb:
    """The server of one stack, started only where somebody asked for it.

    `read_only` is what a replica has: the owner may still write (READ_ONLY ADMIN), the reader never.

    Args:
        root: folder of the stack; logs and passwords lie there, data too where the server's account can reach it.
        state: what the stack remembers.
    """

    def __init__(self, root: Path, state: State) -> None:
        self._root = root
        self._state = state
        self._secrets = root / f"secrets_{PART}"  # beside the folder that PostgreSQL replaces while it is made
        self._log = root / "logs" / f"{PART}.log"

    @property
    def wanted(self) -> bool:
        """Tells whether it belongs to this stack: somebody asked for it once."""
        return self._state.place(PART) is not None

    def url(self, role: str) -> str:
        """Returns the server's address for a role, without a password."""
        return f"mysql://{role}@{LOOPBACK}:{self._state.port(PART)}/{DATABASE}"

    def password(self, role: str) -> str:
        """Returns where the password of a role is, as settings spell it."""
        return f"file:{self._secrets / role}"

    def up(self) -> None:
        """Creates it where it is missing, starts it where it does not run, and returns when it answers."""
        place = self._state.place(PART)
        if place is None or not (place / "created").exists():
            self._create()
        elif not self.healthy():
            self._start()

    def healthy(self) -> bool:
        """Tells whether our own process answers, and as a reader."""
        if not self._state.process(PART):
            return False
        with suppress(pymysql.Error, OSError), self._connect() as connection, connection.cursor() as cursor:
            cursor.execute("SELECT @@read_only")
            return cursor.fetchone() == (1,)
        return False

    def down(self) -> None:
        """Stops it; it writes what it holds first."""
        if process := self._state.process(PART):
            stop(process, signal.SIGTERM)
        self._state.stopped(PART)

    def kill(self) -> None:
        """Kills it; what was committed is there when it is started again, at the same port."""
        if process := self._state.process(PART):
            stop(process, signal.SIGKILL)
        self._state.stopped(PART)
        port = self._state.port(PART)
        wait_until(lambda: free_port(port) == port, _PATIENCE)  # its last threads hold the port for a moment

    def wipe(self) -> None:
        """Removes data and passwords; it no longer belongs to the stack."""
        if place := self._state.place(PART):
            shutil.rmtree(place, ignore_errors=True)
        shutil.rmtree(self._secrets, ignore_errors=True)
        self._state.forget_place(PART)

    def _create(self) -> None:
        self.down()
        self.wipe()
        user = _account()
        place = self._state.put_at(PART, make_place(self._root / PART, user))
        known = passwords.fresh((ADMIN, OWNER, READER))
        for role, secret in known.items():
            passwords.write_private(self._secrets / role, secret)
        first = place / "first.sql"
        passwords.write_private(first, _SQL.format(**known), owner=user)
        command = ["mariadb-install-db", "--no-defaults", *_folders(place), "--skip-test-db", "--skip-name-resolve"]
        done = run([*command, "--auth-root-authentication-method=normal"], log=self._log, user=user)
        if done != 0:
            raise LocalStackFailed(
                f"mariadb-install-db ended with {done}.",
                not_done="No database was created.",
                advice="Install MariaDB (Debian: apt-get install mariadb-server), or run `make bootstrap` as root.",
                where={"log": self._log},
            )
        self._start(f"--init-file={first}")
        first.unlink()
        (place / "created").touch()

    def _start(self, *once: str) -> None:
        place = self._state.place(PART) or self._root / PART
        if not self._state.process(PART):
            port = self._state.choose_port(PART)
            own = [*_folders(place), f"--port={port}", f"--socket={place / 'socket'}", f"--pid-file={place / 'pid'}"]
            command = [_server(), "--no-defaults", *own, *_OPTIONS, *once]
            self._state.started(PART, spawn(command, log=self._log, user=_account()))
        wait_until(lambda: self.healthy() or not self._state.process(PART), _PATIENCE)
        if not self.healthy():
            raise LocalStackFailed(
                "MariaDB does not answer.", not_done="The local stack is not up.", where={"log": self._log}
            )

    def _connect(self) -> pymysql.Connection[pymysql.cursors.Cursor]:
        secret = (self._secrets / ADMIN).read_text(encoding="ascii")
        return pymysql.connect(
            host=LOOPBACK,
            port=self._state.port(PART) or 0,
            user=ADMIN,
            password=secret,
            connect_timeout=3,
            ssl_disabled=True,
        )


def _folders(place: Path) -> tuple[str, str]:
    """Returns where a server keeps its data and its temporary tables.

    A server that starts removes every temporary table of the folder for them: in a shared one those of its neighbors.
    """
    return f"--datadir={place / 'data'}", f"--tmpdir={place}"


def _server() -> str:
    found = shutil.which("mariadbd") or shutil.which("mariadbd", path="/usr/sbin:/usr/local/sbin")
    if found:
        return found
    raise LocalStackFailed(
        "The MariaDB server is not installed.",
        not_done="Nothing was started.",
        advice="Install it (Debian: apt-get install mariadb-server), or run `make bootstrap` as root.",
    )


def _account() -> str | None:
    """Returns the account it runs as: our own (None), or its package's when we are root, which it refuses."""
    if os.geteuid() != 0:
        return None
    for name in ("mysql", "nobody"):
        with suppress(KeyError):
            return pwd.getpwnam(name).pw_name
    raise LocalStackFailed(
        "MariaDB refuses to run as root, and there is neither an account mysql nor nobody.",
        not_done="Nothing was started.",
    )
