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
from etl.source.postgres.guard import READS_ONLY_SQL
from etl.source.snapshot import Snapshot
from etl.source.throttle.governor import Pulse

# A reader that has replayed all it received is up to date however long ago the last transaction was: right after its
# start beside an idle writer it counts as received less than it had replayed before. Without a connection to the writer
# only that transaction's age is known, and where it has replayed none, nothing is. Who may not see a receiver's status
# sees the receiver. Aurora's readers share the storage and know their lag.
_LAG: Final = """
CASE WHEN EXISTS (SELECT FROM pg_catalog.pg_stat_wal_receiver WHERE coalesce(status, 'streaming') = 'streaming')
          AND pg_catalog.pg_last_wal_receive_lsn() <= pg_catalog.pg_last_wal_replay_lsn() THEN 0
     ELSE coalesce(extract(epoch FROM pg_catalog.clock_timestamp() - pg_catalog.pg_last_xact_replay_timestamp())
                   ::pg_catalog.float8, 'Infinity')
END::pg_catalog.float8
"""
_AURORA_LAG: Final = """
(SELECT coalesce(pg_catalog.max(replica_lag_in_msec)::pg_catalog.float8, 'Infinity') / 1000
 FROM pg_catalog.aurora_replica_status() WHERE server_id = pg_catalog.aurora_db_instance_identifier())
"""
_PULSE: Final = """
SELECT pg_catalog.pg_stat_clear_snapshot();
SELECT ({role})::pg_catalog.int4, {lag},
       (SELECT pg_catalog.count(*) FROM pg_catalog.pg_stat_activity WHERE datid IS NOT NULL),
       (SELECT pg_catalog.count(*) FROM pg_catalog.pg_stat_activity WHERE application_name LIKE 'kagemusha%'
        AND application_name <> pg_catalog.current_setting('application_name')),
       (SELECT pg_catalog.count(*)
        FROM pg_catalog.pg_locks AS w
        JOIN pg_catalog.pg_locks AS h ON h.database = w.database AND h.relation = w.relation
        WHERE NOT w.granted AND w.mode = 'AccessExclusiveLock' AND h.granted
          AND h.pid = pg_catalog.pg_backend_pid())
"""
_ROOM: Final = """
SELECT pg_catalog.current_setting('max_connections')::pg_catalog.int8
       - pg_catalog.current_setting('superuser_reserved_connections')::pg_catalog.int8
"""
_STEP_MILLISECONDS: Final = 200


def room_for_sessions(ask: Ask) -> int:
    """Returns how many sessions the server has for users who are not superusers."""
    (room,) = ask(_ROOM)
    return int(str(room))


def lag_of(ask: Ask, reader: Reader) -> float:
    """Returns how many seconds a reader is behind the writer; infinitely many where it cannot know."""
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
        sql = _PULSE.format(role=READS_ONLY_SQL, lag=_lag_sql(snapshot.reader))
        values = _answered(connection, sql, silence_seconds, stopped)
    except psycopg.Error:
        lost = "the session that held it has ended"
    except TimeoutError:
        lost = f"the reader has not answered for {silence_seconds:g} s"
    if lost:
        raise snapshot.lost(lost)
    if values is None:
        return None
    reads_only, lag, sessions, others, waits = values
    if reads_only != b"1":
        where = {**snapshot.endpoint.place, "instance": snapshot.reader.instance}
        raise reader_changed(where, "It has become the writer.")
    return Pulse(
        reads_only=True,
        lag_seconds=float(lag),
        sessions=int(sessions),
        others=int(others),
        replay_waits=int(waits) > 0,
    )


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
