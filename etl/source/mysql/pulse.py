"""What a MySQL reader says about itself from moment to moment: its role, its lag, its sessions."""

from __future__ import annotations

from math import inf
from typing import Final

import pymysql

from etl.errors import NOT_PUBLISHED, RunLost
from etl.source.guard import reader_changed
from etl.source.mysql.connect import Connection, translated
from etl.source.mysql.failures import number_of, query_failure
from etl.source.mysql.guard import MySqlReader
from etl.source.throttle.governor import Pulse

_ROOM: Final = "SELECT @@max_connections"
_AURORA_LAG: Final = """
SELECT coalesce(max(replica_lag_in_milliseconds), 0) / 1000 FROM information_schema.replica_host_status
WHERE server_id = @@aurora_server_id
"""
_NO_SLAVE_MONITOR: Final = 1227


def room_for_sessions(connection: Connection, place: dict[str, object]) -> int:
    """Returns how many sessions the server takes."""
    return int(_number(connection, _ROOM, place))


def lag_of(connection: Connection, reader: MySqlReader, place: dict[str, object]) -> float:
    """Returns how many seconds a reader is behind the writer; 0 where the server is no replica or does not say.

    A replica that hears nothing of its writer, or replays nothing, is infinitely far behind; of several writers the
    farthest counts. Outside Aurora only users with SLAVE MONITOR (MariaDB) or REPLICATION CLIENT (MySQL) may ask.
    """
    if reader.is_aurora:
        return _number(connection, _AURORA_LAG, place)
    number = 0
    try:
        with connection.cursor(pymysql.cursors.DictCursor) as cursor:
            cursor.execute("SHOW ALL SLAVES STATUS" if reader.mariadb else "SHOW REPLICA STATUS")
            rows = [{str(name).lower(): value for name, value in row.items()} for row in cursor.fetchall()]
            lags = [row.get("seconds_behind_master", row.get("seconds_behind_source")) for row in rows]
            return max((inf if lag is None else float(lag) for lag in lags), default=0.0)
    except pymysql.Error as error:
        number = number_of(error)
    if number == _NO_SLAVE_MONITOR:
        return 0.0
    raise query_failure(number, place)


def pulse_of(connection: Connection, reader: MySqlReader, place: dict[str, object]) -> Pulse:
    """Takes one look at the reader; the session's own time limit bounds it.

    Raises:
        RunLost: the session has ended, or the reader does not answer.
        ReaderChanged: the reader has become the writer.
    """
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
        raise reader_changed(place, "It has become the writer.")
    return Pulse(reads_only, lag, int(str(sessions)), 0)


def _number(connection: Connection, sql: str, place: dict[str, object]) -> float:
    def ask() -> float:
        with connection.cursor() as cursor:
            cursor.execute(sql)
            row = cursor.fetchone()
            return float(str(row[0])) if row else 0.0

    return translated(ask, place)
