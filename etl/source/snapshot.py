"""One pinned snapshot for a whole run: exported on one reader, held open by the driver, imported by every slice."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Final

import psycopg

from etl.errors import NOT_PUBLISHED, ReaderChanged, SnapshotLost, SourceUnavailable
from etl.settings import Source
from etl.source.cloudwatch import watched_load
from etl.source.connect import Endpoint, control_connection
from etl.source.governor import Bounds, Governor, Pulse
from etl.source.guard import Reader, prove_reader, still_the_reader
from etl.source.heartbeat import EVERY_SECONDS, Heartbeat
from etl.source.host import host_warning
from etl.source.pulse import lag_of, pulse_of, room_for_sessions, wait_until_fresh
from masking.errors import KagemushaError

Say = Callable[[str, dict[str, object]], None]
"""Hears what a person should know of the source: a step, and names and counts."""

GONE: Final = frozenset({"22023", "42704", "55000"})
"""SQLSTATEs of `SET TRANSACTION SNAPSHOT` for a snapshot that is gone, in all versions of PostgreSQL."""


@dataclass(frozen=True)
class Snapshot:
    """What a slice needs to read the very same rows: the pinned instance and the snapshot's name.

    MySQL exports none: there the name says that each slice is a consistent read of its own.
    """

    endpoint: Endpoint
    name: str
    reader: Reader

    @property
    def pinned(self) -> bool:
        """Whether all slices see one and the same state."""
        return self.endpoint.engine == "postgres"

    @property
    def join_sql(self) -> tuple[str, str]:
        """The statements that begin a transaction which sees the snapshot's rows and nothing else."""
        return "BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY", f"SET TRANSACTION SNAPSHOT '{self.name}'"

    def lost(self, reason: str) -> SnapshotLost:
        """Gives the error that says that it is gone."""
        return SnapshotLost(
            f"The pinned snapshot is gone: {reason}.",
            not_done=NOT_PUBLISHED,
            where={**self.endpoint.place, "instance": self.reader.instance},
        )


@dataclass(frozen=True)
class HeldSnapshot:
    """The driver's hold on a snapshot.

    Attributes:
        snapshot: what slices need.
        governor: gives turns to connect; every connection but the holding one needs one.
        check: proves that the snapshot is still held, or raises RunLost.
    """

    snapshot: Snapshot
    governor: Governor
    check: Callable[[], None]


def say_nothing(_step: str, _counts: dict[str, object]) -> None:
    """Keeps it to itself."""


@contextmanager
def pinned_snapshot(
    source: Source, run_id: str = "", say: Say = say_nothing, every: float = EVERY_SECONDS
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


@contextmanager
def watched(
    source: Source,
    snapshot: Snapshot,
    room: int,
    look: Callable[[Callable[[], bool]], Pulse | None],
    say: Say,
    every: float,
) -> Iterator[HeldSnapshot]:
    """Watches over what a run reads, whatever the engine: a heartbeat, a governor, and CloudWatch where it is wanted.

    Args:
        source: the settings.
        snapshot: what slices need.
        room: sessions that the server takes.
        look: takes one look at the reader; see `Heartbeat`.
        say: hears how the governor decides.
        every: seconds between heartbeats.
    """
    bounds = Bounds.of(source.max_connections, source.connections_share, room, source.max_lag_seconds)
    governor = Governor(bounds, lambda allowed, reason: say("pace", {"slices_at_once": allowed, "reason": reason}))
    heart = Heartbeat(look, governor.hear, governor.lose, every)
    heart.start()
    try:
        with watched_load(source, snapshot.reader, snapshot.endpoint.host, governor.loaded):
            yield HeldSnapshot(snapshot, governor, heart.check)
    finally:
        heart.stop()


def _exported(
    connection: psycopg.Connection[tuple[object, ...]], endpoint: Endpoint, source: Source
) -> tuple[Snapshot, int]:
    """Gives a snapshot of a reader that is fresh enough, and the reader's room for sessions."""
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
def joined_snapshot(snapshot: Snapshot) -> Iterator[psycopg.Connection[tuple[object, ...]]]:
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
