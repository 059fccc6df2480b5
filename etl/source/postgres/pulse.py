"""What a PostgreSQL reader says of itself from moment to moment: its role, its lag, its sessions."""

from __future__ import annotations

import time
from collections.abc import Callable
from select import POLLIN, poll
from typing import Final

import psycopg
from psycopg.pq import ExecStatus

from etl.source.guard import Ask, Reader
from etl.source.throttle.governor import Pulse
from masking.errors import KagemushaError

# A reader that has replayed all it received is up to date however long ago the last transaction was; without a
# connection to the writer, only that transaction's age tells. Aurora's readers share the storage and say it themselves.
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
    """Returns how many sessions the server takes of those who are no superusers."""
    (room,) = ask(_ROOM)
    return int(str(room))


def lag_of(ask: Ask, reader: Reader) -> float:
    """Returns how many seconds a PostgreSQL reader is behind the writer."""
    (lag,) = ask(f"SELECT {_AURORA_LAG if reader.is_aurora else _LAG}")
    return float(str(lag))


def pulse_of(
    connection: psycopg.Connection[tuple[object, ...]],
    reader: Reader,
    silence_seconds: float,
    silent: Callable[[], KagemushaError],
    stopped: Callable[[], bool],
) -> Pulse | None:
    """Takes one pulse on a session of our own; None when it was stopped meanwhile.

    libpq waits for an answer as long as the peer's machine acknowledges packets, also when its server stands still. So
    this waits itself.

    Raises:
        psycopg.Error: the session has ended.
        KagemushaError: what `silent` gives, when no answer came in time.
    """
    wire = connection.pgconn
    wire.send_query(_PULSE.format(lag=_AURORA_LAG if reader.is_aurora else _LAG).encode())
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
                raise silent()
            if answered.poll(_STEP_MILLISECONDS):
                wire.consume_input()
            continue
        result = wire.get_result()
        if result is None:
            break
        if result.status not in {ExecStatus.TUPLES_OK, ExecStatus.COMMAND_OK}:
            raise psycopg.OperationalError
        values = [result.get_value(0, column) or b"0" for column in range(result.nfields)]
    reads_only, lag, sessions, others = values
    return Pulse(reads_only == b"1", float(lag), int(sessions), int(others))
