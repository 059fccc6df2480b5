"""What a PostgreSQL reader says about itself from moment to moment: its role, its lag, its sessions."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from select import POLLIN, poll
from typing import Final

import psycopg
from psycopg.pq import ExecStatus

from etl.source.guard import Ask, Reader, reader_changed
from etl.source.postgres.connect import Connection
from etl.source.snapshot import Snapshot
from etl.source.throttle.governor import Pulse

# A reader that has replayed all it received is up to date however long ago the last transaction was; without a
# connection to the writer, only that transaction's age is known. Aurora's readers share the storage and know their lag.
_LAG: Final = """
CASE WHEN EXISTS (SELECT FROM pg_stat_wal_receiver) AND pg_last_wal_receive_lsn() = pg_last_wal_replay_lsn() THEN 0
     ELSE coalesce(extract(epoch FROM clock_timestamp() - pg_last_xact_replay_timestamp()), 0) END::float8
"""
_AURORA_LAG: Final = """
(SELECT coalesce(max(replica_lag_in_msec), 0)::float8 / 1000 FROM aurora_replica_status()
 WHERE server_id = aurora_db_instance_identifier())
"""
_PULSE: Final = """
SELECT pg_stat_clear_snapshot();
SELECT pg_is_in_recovery()::int, {lag},
       (SELECT count(*) FROM pg_stat_activity WHERE datid IS NOT NULL),
       (SELECT count(*) FROM pg_stat_activity
        WHERE application_name LIKE 'kagemusha%' AND application_name <> current_setting('application_name'))
"""
_ROOM: Final = """
SELECT current_setting('max_connections')::int8 - current_setting('superuser_reserved_connections')::int8
"""
_STEP_MILLISECONDS: Final = 200


def room_for_sessions(ask: Ask) -> int:
    """Returns how many sessions the server has for users who are not superusers."""
    (room,) = ask(_ROOM)
    return int(str(room))


def lag_of(ask: Ask, reader: Reader) -> float:
    """Returns how many seconds a reader is behind the writer."""
    (lag,) = ask(f"SELECT {_lag_sql(reader)}")
    return float(str(lag))


def pulse_of(
    connection: Connection, snapshot: Snapshot, silence_seconds: float, stopped: Callable[[], bool]
) -> Pulse | None:
    """Takes one look at the reader on the session that holds the snapshot; None when `stopped` became true meanwhile.

    Raises:
        SnapshotLost: the session has ended, or no answer came within `silence_seconds`.
        ReaderChanged: the reader has become the writer.
    """
    lost = ""
    values: Sequence[bytes] | None = None
    try:
        values = _answered(connection, _PULSE.format(lag=_lag_sql(snapshot.reader)), silence_seconds, stopped)
    except psycopg.Error:
        lost = "the session that held it has ended"
    except TimeoutError:
        lost = f"the reader has not answered for {silence_seconds:g} s"
    if lost:
        raise snapshot.lost(lost)
    if values is None:
        return None
    reads_only, lag, sessions, others = values
    if reads_only != b"1":
        where = {**snapshot.endpoint.place, "instance": snapshot.reader.instance}
        raise reader_changed(where, "It has become the writer.")
    return Pulse(reads_only=True, lag_seconds=float(lag), sessions=int(sessions), others=int(others))


def _lag_sql(reader: Reader) -> str:
    return _AURORA_LAG if reader.is_aurora else _LAG


def _answered(
    connection: Connection, sql: str, silence_seconds: float, stopped: Callable[[], bool]
) -> Sequence[bytes] | None:
    """Returns the last statement's row, waiting itself: libpq would wait for as long as the peer's machine lives.

    Raises:
        psycopg.Error: the session has ended.
        TimeoutError: no answer came in time.
    """
    wire = connection.pgconn
    wire.send_query(sql.encode())
    wire.flush()
    answered = poll()
    answered.register(wire.socket, POLLIN)
    deadline = time.monotonic() + silence_seconds
    values: list[bytes] = []
    while True:
        if wire.is_busy():
            if stopped():
                return None
            if time.monotonic() > deadline:
                raise TimeoutError
            if answered.poll(_STEP_MILLISECONDS):
                wire.consume_input()
            continue
        result = wire.get_result()
        if result is None:
            return values
        if result.status not in {ExecStatus.TUPLES_OK, ExecStatus.COMMAND_OK}:
            raise psycopg.OperationalError
        values = [result.get_value(0, column) or b"0" for column in range(result.nfields)]
