"""The source database of a field: PostgreSQL's primary with its standby, or MariaDB, with the same small issuer."""

from __future__ import annotations

from contextlib import closing, suppress
from pathlib import Path
from typing import Final, Protocol
from urllib.parse import urlsplit

import psycopg
import pymysql

from scripts.local_stack.local_stack import Endpoints, LocalStack, MySqlEndpoint
from scripts.local_stack.mariadb import ADMIN, READER
from scripts.local_stack.replay import answer, follows

_TABLES: Final = Path(__file__).with_name("issuer")
_TURN: Final = (
    "UPDATE small.teams SET supporters = supporters + CASE WHEN supporters > 10000 THEN -10000 ELSE 10000 END",
    "UPDATE small.gifts SET points = points + CASE WHEN points > 10000 THEN -10000 ELSE 10000 END",
    "UPDATE small.standings SET points = points + CASE WHEN points > 10000 THEN -10000 ELSE 10000 END",
    """UPDATE small.followers SET updated_at = now({digits}),
    visits = visits + CASE WHEN visits > 10000 THEN -10000 ELSE 10000 END WHERE follower_id <= 60""",
)
_PATIENCE_SECONDS: Final = 60
_OURS: Final = "application_name LIKE 'kagemusha%' AND pid <> pg_backend_pid()"


class Database(Protocol):
    """What a field asks of its source."""

    def make(self) -> None:
        """Creates the small issuer anew."""

    def turn(self) -> None:
        """Changes every destination's rows, or changes them back; the reader follows."""

    def change(self, *statements: str) -> None:
        """Changes the writer; nobody waits for the reader, which may be waiting for a load."""

    def settle(self) -> None:
        """Returns when the reader holds what the writer holds."""

    def sessions(self) -> int:
        """Returns how many sessions of loads there are."""

    def end_sessions(self) -> None:
        """Ends every session of a load, as a failover does."""

    def drop(self) -> None:
        """Removes the small issuer."""


class Postgres:
    """A primary and the standby that loads read.

    Args:
        ends: of the stack.
    """

    def __init__(self, ends: Endpoints) -> None:
        self._ends = ends

    def make(self) -> None:
        """See Database."""
        self.change((_TABLES / "tables.sql").read_text(encoding="utf-8"))
        self.settle()

    def turn(self) -> None:
        """See Database."""
        self.change(*(sql.format(digits="") for sql in _TURN))
        self.settle()

    def change(self, *statements: str) -> None:
        """See Database."""
        with psycopg.connect(self._ends.primary_url, autocommit=True) as connection:
            for sql in statements:
                connection.execute(sql.encode())

    def settle(self) -> None:
        """See Database."""
        with psycopg.connect(self._ends.primary_url, autocommit=True) as connection:
            followed = follows(connection, self._ask, _PATIENCE_SECONDS)
        if not followed:
            raise TimeoutError("the standby does not follow")

    def sessions(self) -> int:
        """See Database."""
        return int(str(self._ask(f"SELECT count(*) FROM pg_stat_activity WHERE {_OURS}")))

    def end_sessions(self) -> None:
        """See Database."""
        self._ask(f"SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE {_OURS}")

    def drop(self) -> None:
        """See Database."""
        self.change("DROP SCHEMA small CASCADE")

    def _ask(self, sql: str) -> object:
        """Asks the standby as the ETL user; the answer is one value."""
        return answer(self._ends.source_url, sql)


class MariaDb:
    """One server, which is read-only for loads.

    Args:
        stack: to which it belongs.
        ends: where it is.
    """

    def __init__(self, stack: LocalStack, ends: MySqlEndpoint) -> None:
        place = urlsplit(ends.url)
        self._stack = stack
        self._host, self._port = str(place.hostname), int(place.port or 0)
        secret = Path(ends.password.removeprefix("file:")).with_name(ADMIN)
        self._password = secret.read_text(encoding="ascii")

    def make(self) -> None:
        """See Database."""
        text = (_TABLES / "tables_mysql.sql").read_text(encoding="utf-8")
        self.change(*(sql for sql in text.split(";\n") if sql.strip()))

    def turn(self) -> None:
        """See Database."""
        self.change(*(sql.format(digits=6) for sql in _TURN))

    def change(self, *statements: str) -> None:
        """See Database."""
        self.ask(*statements)

    def ask(self, *statements: str) -> list[tuple[object, ...]]:
        """Runs statements as the administrator; returns the last one's rows."""
        with closing(self.connect()) as connection, connection.cursor() as cursor:
            for sql in statements:
                cursor.execute(sql)
            return list(cursor.fetchall())

    def connect(self) -> pymysql.Connection[pymysql.cursors.Cursor]:
        """Opens a session of the administrator."""
        return pymysql.connect(
            host=self._host,
            port=self._port,
            user=ADMIN,
            password=self._password,
            autocommit=True,
            connect_timeout=3,
            ssl_disabled=True,
        )

    def settle(self) -> None:
        """See Database."""

    def sessions(self) -> int:
        """See Database."""
        return len(self._numbers())

    def end_sessions(self) -> None:
        """See Database."""
        for number in self._numbers():
            with suppress(pymysql.err.OperationalError):  # it has ended by itself meanwhile
                self.change(f"KILL {number}")

    def waiting(self) -> int:
        """Returns how many statements of loads wait for a table's lock."""
        state = "state LIKE 'Waiting for table%'"
        return len(self.ask(f"SELECT 1 FROM information_schema.processlist WHERE user = '{READER}' AND {state}"))

    def kill(self) -> None:
        """The server dies."""
        self._stack.kill_mysql()

    def start(self) -> None:
        """The server runs, whether it died or not."""
        self._stack.start_mysql()

    def drop(self) -> None:
        """See Database."""
        self.change("DROP DATABASE small")

    def _numbers(self) -> list[object]:
        found = self.ask(f"SELECT id FROM information_schema.processlist WHERE user = '{READER}'")
        return [number for (number,) in found]
