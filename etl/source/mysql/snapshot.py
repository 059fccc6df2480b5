"""What a run holds of a MySQL server, which exports no snapshot: a watched session on the reader."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Final

import pymysql

from etl.errors import NOT_PUBLISHED, RunLost
from etl.settings import SourceSettings
from etl.source.endpoint import Endpoint
from etl.source.host import host_warning
from etl.source.lag import wait_until_fresh
from etl.source.mysql.connect import Connection, control_connection, failure_of, number_of
from etl.source.mysql.guard import MySqlReader, changed, prepared
from etl.source.snapshot import HeldSnapshot, Say, Snapshot, say_nothing, watched
from etl.source.throttle.governor import Pulse
from etl.source.throttle.heartbeat import EVERY_SECONDS

PER_SLICE: Final = "per slice"
"""The snapshot's name in ledger and report: each slice is one consistent read, and slices are not one snapshot."""
_AURORA_LAG: Final = """
SELECT coalesce(max(replica_lag_in_milliseconds), 0) / 1000 FROM information_schema.replica_host_status
WHERE server_id = @@aurora_server_id
"""
_NO_SLAVE_MONITOR: Final = 1227


@contextmanager
def held_reader(
    source: SourceSettings, run_id: str = "", say: Say = say_nothing, every: float = EVERY_SECONDS
) -> Iterator[HeldSnapshot]:
    """Proves a reader and keeps a watched session on it until the end.

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
    with control_connection(endpoint, source.silence_seconds) as connection:
        reader = prepared(connection, endpoint, source.allowed_instances)
        wait_until_fresh(
            lambda: lag_of(connection, reader, endpoint.place),
            reader.instance,
            source.max_lag_seconds,
            source.lag_wait_seconds,
            endpoint.place,
        )
        room = int(_asked(connection, "SELECT @@max_connections", endpoint.place))
        snapshot = Snapshot(replace(endpoint, pinned=True), PER_SLICE, reader)

        def look(_stopped: Callable[[], bool]) -> Pulse:
            return _look(connection, snapshot, reader)

        with watched(source, snapshot, room, look, say, every) as held:
            yield held


def lag_of(connection: Connection, reader: MySqlReader, place: dict[str, object]) -> float:
    """Returns how many seconds a reader is behind the writer; 0 where the server is no replica or keeps it to itself.

    Outside Aurora the user needs SLAVE MONITOR (MariaDB) or REPLICATION CLIENT (MySQL) to be told.
    """
    if reader.is_aurora:
        return _asked(connection, _AURORA_LAG, place)
    number = 0
    try:
        with connection.cursor(pymysql.cursors.DictCursor) as cursor:
            cursor.execute("SHOW SLAVE STATUS" if reader.mariadb else "SHOW REPLICA STATUS")
            rows = [{str(name).lower(): value for name, value in row.items()} for row in cursor.fetchall()]
            lags = [row.get("seconds_behind_master", row.get("seconds_behind_source")) for row in rows]
            return max((float(lag) for lag in lags if lag is not None), default=0.0)
    except pymysql.Error as error:
        number = number_of(error)
    if number == _NO_SLAVE_MONITOR:
        return 0.0
    raise failure_of(number, place)


def _look(connection: Connection, snapshot: Snapshot, reader: MySqlReader) -> Pulse:
    """Takes one look; the session's own time limit bounds it."""
    place = snapshot.endpoint.place
    lost = ""
    try:
        with connection.cursor() as cursor:
            cursor.execute(f"SELECT ({reader.proof})")
            reads_only = cursor.fetchone() == (1,)
            cursor.execute("SHOW GLOBAL STATUS LIKE 'Threads_connected'")
            ((_, sessions),) = cursor.fetchall()
        lag = lag_of(connection, reader, place)
    except (pymysql.Error, RunLost, OSError):
        lost = "The driver's session on the reader has ended, or the reader does not answer."
    if lost:
        raise RunLost(lost, not_done=NOT_PUBLISHED, where=place)
    if not reads_only:
        raise changed(place, "It has become the writer.")
    return Pulse(reads_only, lag, int(str(sessions)), 0)


def _asked(connection: Connection, sql: str, place: dict[str, object]) -> float:
    number = 0
    try:
        with connection.cursor() as cursor:
            cursor.execute(sql)
            row = cursor.fetchone()
            return float(str(row[0])) if row else 0.0
    except pymysql.Error as error:
        number = number_of(error)
    raise failure_of(number, place)
