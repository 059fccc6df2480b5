"""The two engines behind one door: what a run holds, and control sessions on it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager

from etl.settings import SourceSettings
from etl.source.mysql.session import joined_reader
from etl.source.mysql.snapshot import held_reader
from etl.source.postgres import snapshot as postgres
from etl.source.postgres.session import PostgresSession
from etl.source.session import Session
from etl.source.snapshot import HeldSnapshot, Say, Snapshot, say_nothing


@contextmanager
def hold_snapshot(source: SourceSettings, run_id: str = "", say: Say = say_nothing) -> Iterator[HeldSnapshot]:
    """Proves the reader and holds what the run reads until the end.

    Args:
        source: the settings.
        run_id: for the server's list of sessions.
        say: hears warnings, and how the governor decides.

    Raises:
        EndpointRefused, ReaderLags, CredentialsRefused, SourceUnavailable: see the engine's own connection and guard.
    """
    hold: AbstractContextManager[HeldSnapshot] = (
        held_reader(source, run_id, say) if source.engine == "mysql" else postgres.hold_snapshot(source, run_id, say)
    )
    with hold as held:
        yield held


@contextmanager
def join_snapshot(snapshot: Snapshot) -> Iterator[Session]:
    """Opens another control session on what the run reads; it proves the reader again."""
    if snapshot.endpoint.engine == "mysql":
        with joined_reader(snapshot) as session:
            yield session
    else:
        with postgres.join_snapshot(snapshot) as connection:
            yield PostgresSession(connection)
