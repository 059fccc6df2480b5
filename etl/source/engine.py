"""The two engines behind one door: what a run holds, and control sessions on it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from etl.source.connect import Endpoint
from etl.source.postgres import PostgresSession
from etl.source.session import Held, Session
from etl.source.snapshot import Snapshot, joined_snapshot, pinned_snapshot


@contextmanager
def pinned(endpoint: Endpoint, allowed_instances: Sequence[str] = ()) -> Iterator[Held]:
    """Proves the reader and holds what the run reads until the end.

    Raises:
        EndpointRefused, CredentialsRefused, SourceUnavailable: see the engine's own connection and guard.
    """
    with pinned_snapshot(endpoint, allowed_instances) as held:
        yield held


@contextmanager
def joined(snapshot: Snapshot) -> Iterator[Session]:
    """Opens another control session on what the run reads; it proves the reader again."""
    with joined_snapshot(snapshot) as connection:
        yield PostgresSession(connection)
