"""Pins a snapshot on one PostgreSQL reader, and joins it from other sessions."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace

import psycopg

from etl.errors import NO_ROW_READ, NOT_PUBLISHED, SourceUnavailable
from etl.settings import SourceSettings
from etl.source.catalogue import Definition
from etl.source.endpoint import Endpoint
from etl.source.guard import still_the_reader
from etl.source.lag import wait_until_fresh
from etl.source.postgres.connect import Connection, control_connection, only_row, server_of
from etl.source.postgres.definition import definitions
from etl.source.postgres.failures import GONE
from etl.source.postgres.guard import prove_reader
from etl.source.postgres.locks import lock
from etl.source.postgres.pulse import lag_of, pulse_of, room_for_sessions
from etl.source.postgres.session import PostgresSession
from etl.source.snapshot import OpenSnapshot, Snapshot


@contextmanager
def hold_snapshot(endpoint: Endpoint, source: SourceSettings, tables: Sequence[str] = ()) -> Iterator[OpenSnapshot]:
    """Exports a snapshot on a proven reader, locks what will be read, and holds both until the end.

    The address of the first connection is kept: an exported snapshot is local to one instance, and an endpoint's
    name may resolve to another one a moment later.
    """
    with control_connection(endpoint) as connection:
        snapshot, room = _exported(connection, endpoint, source)
        unlocked = lock(connection, tables, source.lock_wait_seconds, endpoint.place)
        yield OpenSnapshot(
            snapshot=snapshot,
            room=room,
            look=lambda stopped: pulse_of(connection, snapshot, source.silence_seconds, stopped),
            let_go=connection.close,
            unlocked=unlocked,
        )


@contextmanager
def join_snapshot(snapshot: Snapshot, tables: Sequence[str] = ()) -> Iterator[PostgresSession]:
    """Opens another control session that sees exactly the snapshot's rows; it proves the reader again."""
    with control_connection(snapshot.endpoint) as connection:
        state: str | None = None
        present: Mapping[str, Definition | None] = {}
        try:
            still_the_reader(
                lambda: prove_reader(lambda sql: only_row(connection, sql), snapshot.endpoint),
                snapshot.endpoint,
                snapshot.reader,
            )
            present = definitions(lambda sql: connection.execute(sql.encode()).fetchall(), tables)
            for statement in snapshot.join_sql:
                connection.execute(statement.encode())
        except psycopg.Error as error:
            state = error.sqlstate or "no SQLSTATE"
        if state in GONE:
            raise snapshot.lost("the session that held it has ended")
        if state is not None:
            raise SourceUnavailable(
                f"The database ended a session ({state}).", not_done=NOT_PUBLISHED, where=snapshot.endpoint.place
            )
        yield PostgresSession(connection, present, snapshot.server)


def _exported(connection: Connection, endpoint: Endpoint, source: SourceSettings) -> tuple[Snapshot, int]:
    """Returns a snapshot of a reader that is fresh enough, and the reader's room for sessions."""
    ended = ""
    try:
        reader = prove_reader(lambda sql: only_row(connection, sql), endpoint, source.allowed_instances)
        wait_until_fresh(
            lambda: lag_of(lambda sql: only_row(connection, sql), reader),
            reader.instance,
            source.max_lag_seconds,
            source.lag_wait_seconds,
            endpoint.place,
        )
        server = server_of(connection)
        room = room_for_sessions(lambda sql: only_row(connection, sql))
        connection.execute("BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        (name,) = only_row(connection, "SELECT pg_catalog.pg_export_snapshot()")
        pinned = replace(endpoint, address=connection.info.hostaddr or None, pinned=True)
        return Snapshot(pinned, str(name), reader, server), room
    except psycopg.Error as error:
        ended = error.sqlstate or "no SQLSTATE"
    raise SourceUnavailable(
        f"The database ended the session that pins the snapshot ({ended}).",
        not_done=NO_ROW_READ,
        where=endpoint.place,
    )
