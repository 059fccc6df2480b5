"""Builds the made-up issuer: `create` writes it up to a business day, `advance` lets days pass."""

from __future__ import annotations

from datetime import date, timedelta

import psycopg
from psycopg.types.json import Jsonb

from scripts.issuer.database import SCHEMAS, SynthRefused, connect, script
from scripts.issuer.population import Population, days
from scripts.issuer.steps import Progress, add_keys, write
from scripts.issuer.window import Window


def create(
    url: str, population: Population, last_day: date, *, sessions: int = 2, progress: Progress = lambda _: None
) -> dict[str, int]:
    """Replaces the made-up issuer of a database by one that stands at the end of a business day.

    Args:
        url: libpq URL of the primary.
        population: who and how much.
        last_day: the business day (JST) at whose end the database stands.
        sessions: database sessions at work at once.
        progress: is told what is done.

    Returns:
        the number of rows by table, `schema.table`.

    Raises:
        SynthRefused: the database holds schemas of these names that this program did not make.
    """
    with connect(url) as connection:
        _clear(connection)
        for name in SCHEMAS:
            connection.execute(script(f"{name}.sql"))
        connection.execute(script("fiction/noise.sql", {"seed": population.seed}))
        for name in ("vocabulary", "days", "courses"):
            connection.execute(script(f"fiction/{name}.sql"))
    write(url, Window(population, population.first_day, last_day, history=True), sessions, progress)
    add_keys(url, sessions)
    progress("keys, references, indexes")
    with connect(url) as connection:
        remembered = Jsonb({**population.to_json(), "last_day": str(last_day)})
        connection.execute("INSERT INTO synth.settings VALUES (%s)", [remembered])
        connection.execute(script("grants.sql"))
        return count(connection)


def advance(url: str, day: date | None = None, *, progress: Progress = lambda _: None) -> date:
    """Lets business days pass: each brings new rows, late rows of the two days before, and changes of older rows.

    Args:
        url: libpq URL of the primary.
        day: the business day (JST) to arrive at; the next one when None.
        progress: is told what is done.

    Returns:
        the business day at whose end the database stands now.

    Raises:
        SynthRefused: there is no made-up issuer here, or the day has passed.
    """
    with connect(url) as connection:
        population, today = _remembered(connection)
    target = day or today + timedelta(days=1)
    if target <= today:
        raise SynthRefused(f"{target} has passed: the database stands at the end of {today}. Give a later day.")
    for passing in days(today + timedelta(days=1), target):
        write(url, Window(population, passing, passing, history=False), 1, progress)
        with connect(url) as connection:
            now = Jsonb({"last_day": str(passing)})
            connection.execute("UPDATE synth.settings SET population = population || %s", [now])
    return target


def count(connection: psycopg.Connection) -> dict[str, int]:
    """Returns the number of rows by table, `schema.table`."""
    listed = "SELECT format('%%I.%%I', schemaname, tablename) FROM pg_tables WHERE schemaname = ANY(%s) ORDER BY 1"
    names = connection.execute(listed, [list(SCHEMAS)]).fetchall()
    return {name: (connection.execute(f"SELECT count(*) FROM {name}").fetchone() or (0,))[0] for (name,) in names}


def _clear(connection: psycopg.Connection) -> None:
    listed = "SELECT nspname FROM pg_namespace WHERE nspname = ANY(%s)"
    found = {name for (name,) in connection.execute(listed, [[*SCHEMAS, "synth"]])}
    if found and "synth" not in found:
        raise SynthRefused("The database holds tables that this program did not make. Give another database.")
    for name in (*SCHEMAS, "synth"):
        connection.execute(f"DROP SCHEMA IF EXISTS {name} CASCADE")
    connection.execute("CREATE SCHEMA synth")


def _remembered(connection: psycopg.Connection) -> tuple[Population, date]:
    made = connection.execute("SELECT to_regclass('synth.settings') IS NOT NULL").fetchone()
    row = connection.execute("SELECT population FROM synth.settings").fetchone() if made and made[0] else None
    if row is None:
        raise SynthRefused("There is no made-up issuer in this database. Run `create` first.")
    return Population.from_json(row[0]), date.fromisoformat(row[0]["last_day"])
