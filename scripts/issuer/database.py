"""Runs the SQL files beside it against the issuer's primary, several at once where they do not need each other."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final

import psycopg
from psycopg import sql

HERE: Final = Path(__file__).parent
OWNER: Final = "issuer_app"
READER: Final = "etl_reader"
SCHEMAS: Final = ("issuing", "ledger", "collections", "community", "messaging", "ops_admin")

Values = Mapping[str, object]
Task = Callable[[psycopg.Connection], None]
"""Work for one session; its rows are there for others as soon as it is done."""

_SESSION: Final = """
SET TIME ZONE 'Asia/Tokyo';  -- ::date is the business date
SET work_mem = '192MB';
SET maintenance_work_mem = '512MB';
SET max_parallel_maintenance_workers = 0;  -- the sessions are the parallel ones
SET synchronous_commit = off;
SET jit = off;
SET default_statistics_target = 30;  -- made-up rows are even
SET enable_nestloop = off;  -- the planner cannot know how many rows a noise condition leaves; hashing is never far off
SET client_min_messages = warning;
"""


class SynthRefused(Exception):
    """The made-up issuer cannot be written here; the message says why and what to do."""


def script(path: str, values: Values | None = None) -> sql.Composed | sql.SQL:
    """Returns a SQL file of this folder, its {placeholders} filled with quoted literals."""
    text = sql.SQL((HERE / path).read_text(encoding="utf-8"))
    return text if values is None else text.format(**{name: sql.Literal(value) for name, value in values.items()})


def statements(path: str) -> list[str]:
    """Returns the statements of a file that holds one a line."""
    text = (HERE / path).read_text(encoding="utf-8")
    return [line for line in text.splitlines() if line and not line.startswith("--")]


def file(path: str, values: Values) -> Task:
    """Returns the task of running one file."""

    def run(connection: psycopg.Connection) -> None:
        connection.execute(script(path, values))

    return run


def lines(listed: Iterable[str]) -> Task:
    """Returns the task of running statements one after another."""

    def run(connection: psycopg.Connection) -> None:
        for line in listed:
            connection.execute(sql.SQL(line))

    return run


def in_one(tasks: Sequence[Task]) -> Task:
    """Returns the task of doing several, each with the rows of the one before."""

    def run(connection: psycopg.Connection) -> None:
        for task in tasks:
            task(connection)

    return run


def in_turn(url: str, tasks: Iterable[Task]) -> None:
    """Runs tasks one after another, each in its own transaction."""
    with connect(url) as connection:
        for task in tasks:
            task(connection)
            connection.commit()


def together(url: str, tasks: Iterable[Task], sessions: int) -> None:
    """Runs tasks over a few sessions; after a failure, those that have not begun are left out."""
    with ThreadPoolExecutor(sessions) as pool:
        futures = [pool.submit(in_turn, url, [task]) for task in tasks]
        try:
            for future in futures:
                future.result()
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise


@contextlib.contextmanager
def connect(url: str) -> Iterator[psycopg.Connection]:
    """Opens a session that acts as the owner of the issuer's tables on a primary, and commits at its end.

    Raises:
        SynthRefused: the server is a standby, cannot be reached, or does not let us act as the owner.
    """
    refusal, connection = "", None
    try:
        connection = psycopg.connect(url, application_name="kagemusha-synth")
        refusal = _prepare(connection)
    except psycopg.OperationalError:
        refusal = "The primary cannot be reached. Start it with `kagemusha local up`, or check --url."
    except psycopg.errors.InsufficientPrivilege:
        refusal = f"The user may not act as {OWNER}. Connect as {OWNER} or as a superuser."
    if refusal or connection is None:
        if connection:
            connection.close()
        raise SynthRefused(refusal)
    with connection:
        yield connection


def _prepare(connection: psycopg.Connection) -> str:
    """Makes the session the owner's; gives the reason why it must not be used, or nothing."""
    user, standby = connection.execute("SELECT current_user, pg_is_in_recovery()").fetchone() or ("", True)
    if standby:
        return "The server is a standby. Give the URL of the primary."
    for role in (OWNER, READER):
        if not connection.execute("SELECT FROM pg_roles WHERE rolname = %s", [role]).rowcount:
            connection.execute(sql.SQL("CREATE ROLE {}").format(sql.Identifier(role)))
    if user != OWNER:
        database, owner = sql.Identifier(connection.info.dbname), sql.Identifier(OWNER)
        connection.execute(sql.SQL("GRANT CREATE ON DATABASE {} TO {}").format(database, owner))
        connection.execute(sql.SQL("SET ROLE {}").format(owner))
    connection.execute(_SESSION)
    connection.commit()
    return ""
