"""What a run holds of a MySQL server, which exports no snapshot: a watched session on the reader."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Final

from etl.settings import SourceSettings
from etl.source.endpoint import Endpoint
from etl.source.guard import EndpointRefused, reader_changed
from etl.source.lag import wait_until_fresh
from etl.source.mysql.connect import control_connection, server_of
from etl.source.mysql.guard import MySqlReader
from etl.source.mysql.pulse import lag_of, lag_warning, pulse_of, room_for_sessions
from etl.source.mysql.session import MySqlSession, prepare_session
from etl.source.snapshot import OpenSnapshot, Snapshot

PER_SLICE: Final = "per slice"
"""The snapshot's name in ledger and report: each slice is one consistent read, and slices are not one snapshot."""


@contextmanager
def hold_snapshot(endpoint: Endpoint, source: SourceSettings, tables: Sequence[str] = ()) -> Iterator[OpenSnapshot]:
    """Keeps a session on a proven reader until the end; nothing is exported, and no table is locked."""
    del tables  # a lock would hold replication up; each table is compared with its plan when its totals are counted
    with control_connection(endpoint, source.silence_seconds) as connection:
        reader = prepare_session(connection, endpoint, source.allowed_instances)
        wait_until_fresh(
            lambda: lag_of(connection, reader, endpoint.place) or 0.0,
            reader.instance,
            source.max_lag_seconds,
            source.lag_wait_seconds,
            endpoint.place,
        )
        room = room_for_sessions(connection, endpoint.place)
        snapshot = Snapshot(replace(endpoint, pinned=True), PER_SLICE, reader, server_of(connection, endpoint.place))
        yield OpenSnapshot(
            snapshot=snapshot,
            room=room,
            look=lambda _stopped: pulse_of(connection, reader, endpoint.place),
            warning=lag_warning(reader) if lag_of(connection, reader, endpoint.place) is None else None,
        )


@contextmanager
def join_snapshot(snapshot: Snapshot, tables: Sequence[str] = ()) -> Iterator[MySqlSession]:
    """Opens another control session, on any reader that may be read; it proves the reader again."""
    del tables  # definitions are those of now whenever they are asked for
    endpoint, found = snapshot.endpoint, ""
    allowed = snapshot.reader.allowed if isinstance(snapshot.reader, MySqlReader) else ()
    with control_connection(endpoint) as connection:
        try:
            reader = prepare_session(connection, endpoint, allowed)
        except EndpointRefused as error:
            found = error.what
        if found:
            raise reader_changed(endpoint.place, found)
        yield MySqlSession(connection, reader, snapshot.server)
