"""Fault points of a source in MySQL's dialect: its slices share no snapshot, and no run locks its tables."""

from __future__ import annotations

import threading
import time
from typing import Final

from scripts.fault_injection.database import MariaDb
from scripts.fault_injection.field import Field
from scripts.fault_injection.point import Act, Point, moment
from scripts.fault_injection.points_world import does
from scripts.local_stack.processes import wait_until

_AT: Final = ("gifts", "stage")
_LOCKED_SECONDS: Final = 1.5
_KEPT: Final = ("CREATE TABLE small.kept AS SELECT * FROM small.gifts", "TRUNCATE small.gifts")
_LOADED_AGAIN: Final = ("INSERT INTO small.gifts SELECT * FROM small.kept", "DROP TABLE small.kept")
_RENAMED: Final = "ALTER TABLE small.standings RENAME COLUMN {0} TO {1}"
_SWAPPED: Final = "ALTER TABLE small.teams RENAME COLUMN {0} TO {1}, RENAME COLUMN {2} TO {3}"


def _server(played: Field) -> MariaDb:
    if not isinstance(played.database, MariaDb):
        raise TypeError("the field's source is not MariaDB")
    return played.database


def restarts(played: Field) -> None:
    """The server dies and is started again at once."""
    _server(played).kill()
    _server(played).start()


def dies(played: Field) -> None:
    """The server dies and stays away."""
    _server(played).kill()


def comes_back(played: Field) -> None:
    """The server runs again."""
    _server(played).start()


def is_locked(seconds: float, *, then: Act | None = None) -> Act:
    """Gifts is locked in the background; `then` happens when a load waits for it, without it the lock goes again."""

    def act(played: Field) -> None:
        locked, server = threading.Event(), _server(played)

        def hold() -> None:
            with server.connect() as connection, connection.cursor() as cursor:
                cursor.execute("LOCK TABLES small.gifts WRITE")
                locked.set()
                if wait_until(lambda: server.waiting() > 0, seconds) and then is not None:
                    with played.doing:
                        then(played)
                else:
                    time.sleep(seconds)

        played.meanwhile.append(threading.Thread(target=hold, name="lock"))
        played.meanwhile[-1].start()
        locked.wait(seconds)

    return act


POINTS: Final[tuple[Point, ...]] = (
    moment("mysql-columns-swapped", "MySQL: a dropped column gets a kept one's name", _AT,
           does(_SWAPPED.format("name", "name_was", "contact_email", "name")),
           undo=does(_SWAPPED.format("name", "contact_email", "name_was", "name")), engine="mysql"),
    moment("mysql-column-renamed", "MySQL: a column is renamed while others are staged", _AT,
           does(_RENAMED.format("points", "marks")),
           undo=does(_RENAMED.format("marks", "points")), engine="mysql"),
    moment("mysql-table-truncated", "MySQL: TRUNCATE and reload while others are staged", ("teams", "stage"),
           does(*_KEPT, *_LOADED_AGAIN), engine="mysql"),
    moment("mysql-table-emptied", "MySQL: TRUNCATE as a table is staged", _AT, does(*_KEPT),
           undo=does(*_LOADED_AGAIN), engine="mysql"),
    moment("mysql-table-rebuilt", "MySQL: a table is rebuilt while others are staged", ("teams", "stage"),
           does("ALTER TABLE small.followers ENGINE=InnoDB, FORCE"), engine="mysql"),
    moment("mysql-table-exchanged", "MySQL: another table takes a table's name", _AT,
           does("CREATE TABLE small.other AS SELECT * FROM small.gifts",
                "RENAME TABLE small.gifts TO small.gifts_was, small.other TO small.gifts"),
           undo=does("DROP TABLE small.gifts", "RENAME TABLE small.gifts_was TO small.gifts"), engine="mysql"),
    moment("mysql-table-locked", "MySQL: a table is locked as it is staged", _AT, is_locked(_LOCKED_SECONDS),
           engine="mysql"),
    moment("mysql-becomes-writer", "MySQL: the reader becomes a writer", _AT, does("SET GLOBAL read_only = OFF"),
           undo=does("SET GLOBAL read_only = ON"), engine="mysql"),
    moment("mysql-restarts", "MySQL: the server dies and is started again", _AT, restarts, engine="mysql"),
    moment("mysql-dies", "MySQL: the server dies and stays away", ("gifts", "audit"), dies, undo=comes_back,
           engine="mysql"),
    moment("mysql-dies-in-read", "MySQL: the server dies while a read waits in it", _AT,
           is_locked(_LOCKED_SECONDS, then=restarts), undo=comes_back, engine="mysql"),
    moment("mysql-ends-sessions", "MySQL: the server ends all sessions at stage", _AT,
           lambda played: played.database.end_sessions(), engine="mysql"),
)  # fmt: skip
