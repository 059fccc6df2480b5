"""Pins a snapshot on one PostgreSQL reader, and joins it from other sessions."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Final

import psycopg

from etl.errors import NOT_PUBLISHED, SourceUnavailable
from etl.settings import SourceSettings
from etl.source.endpoint import Endpoint
from etl.source.guard import ReaderChanged, still_the_reader
from etl.source.host import host_warning
from etl.source.lag import wait_until_fresh
from etl.source.postgres.connect import control_connection
from etl.source.postgres.guard import prove_reader
from etl.source.postgres.pulse import lag_of, pulse_of, room_for_sessions
from etl.source.snapshot import HeldSnapshot, Say, Snapshot, say_nothing, watched
from etl.source.throttle.governor import Pulse
from etl.source.throttle.heartbeat import EVERY_SECONDS
from masking.errors import KagemushaError

GONE: Final = frozenset({"22023", "42704", "55000"})
"""SQLSTATEs of `SET TRANSACTION SNAPSHOT` for a snapshot that is gone, in all versions of PostgreSQL."""


@contextmanager
def hold_snapshot(
    source: SourceSettings, run_id: str = "", say: Say = say_nothing, every: float = EVERY_SECONDS
) -> Iterator[HeldSnapshot]:
    """Exports a snapshot on one proven reader and holds it until the end.

    The address of the first connection is kept: an exported snapshot is local to one instance, and an endpoint's
    name may resolve to another one a moment later. A heartbeat keeps the session from being forgotten on the way, and
    notices within seconds that it ended, that the reader was promoted, or that nothing answers any more.

    Args:
        source: the settings.
        run_id: for the server's list of sessions.
        say: hears warnings, and how the governor decides.
        every: seconds between heartbeats.

    Raises:
        EndpointRefused: see `prove_reader`.
        ReaderLags: see `wait_until_fresh`.
        CredentialsRefused, SourceUnavailable: see `control_connection`.
    """
    endpoint = Endpoint.of(source, run_id)
    if warning := host_warning(endpoint.host):
        say("warning", {"warning": warning})
    with control_connection(endpoint) as connection:
        snapshot, room = _exported(connection, endpoint, source)

        def look(stopped: Callable[[], bool]) -> Pulse | None:
            return _look(connection, snapshot, source.silence_seconds, stopped)

        with watched(source, snapshot, room, look, say, every) as held:
            yield held


def _exported(
    connection: psycopg.Connection[tuple[object, ...]], endpoint: Endpoint, source: SourceSettings
) -> tuple[Snapshot, int]:
    """Returns a snapshot of a reader that is fresh enough, and the reader's room for sessions."""
    ended = ""
    try:
        reader = prove_reader(lambda sql: _only_row(connection, sql), endpoint, source.allowed_instances)
        wait_until_fresh(
            lambda: lag_of(lambda sql: _only_row(connection, sql), reader),
            reader.instance,
            source.max_lag_seconds,
            source.lag_wait_seconds,
            endpoint.place,
        )
        room = room_for_sessions(lambda sql: _only_row(connection, sql))
        connection.execute("BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        (name,) = _only_row(connection, "SELECT pg_export_snapshot()")
        pinned = replace(endpoint, address=connection.info.hostaddr or None, pinned=True)
        return Snapshot(pinned, str(name), reader), room
    except psycopg.Error as error:
        ended = error.sqlstate or "no SQLSTATE"
    raise SourceUnavailable(
        f"The database ended the session that pins the snapshot ({ended}).",
        not_done="No row was read.",
        where=endpoint.place,
    )


def _look(
    connection: psycopg.Connection[tuple[object, ...]],
    snapshot: Snapshot,
    silence_seconds: float,
    stopped: Callable[[], bool],
) -> Pulse | None:
    failure: KagemushaError | None = None
    pulse = None
    try:
        pulse = pulse_of(
            connection,
            snapshot.reader,
            silence_seconds,
            lambda: snapshot.lost(f"the reader has not answered for {silence_seconds:g} s"),
            stopped,
        )
    except psycopg.Error:
        failure = snapshot.lost("the session that held it has ended")
    if failure is not None:
        raise failure
    if pulse is not None and not pulse.reads_only:
        raise ReaderChanged(
            "The reader changed in the middle of the run: it has become the writer.",
            not_done=NOT_PUBLISHED,
            advice="Run again when the cluster's failover is over.",
            where={**snapshot.endpoint.place, "instance": snapshot.reader.instance},
        )
    return pulse


@contextmanager
def join_snapshot(snapshot: Snapshot) -> Iterator[psycopg.Connection[tuple[object, ...]]]:
    """Opens another control session that sees exactly the snapshot's rows; it proves the reader again.

    Raises:
        ReaderChanged: see `still_the_reader`.
        SnapshotLost: the snapshot cannot be joined any more.
        SourceUnavailable: the session ended before it could join; another try may pass.
    """
    with control_connection(snapshot.endpoint) as connection:
        state: str | None = None
        try:
            still_the_reader(
                lambda: prove_reader(lambda sql: _only_row(connection, sql), snapshot.endpoint),
                snapshot.endpoint,
                snapshot.reader,
            )
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
        yield connection


def _only_row(connection: psycopg.Connection[tuple[object, ...]], sql: str) -> Sequence[object]:
    row = connection.execute(sql.encode()).fetchone()
    return row if row is not None else ()
