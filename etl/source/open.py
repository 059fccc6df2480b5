"""The one way in, for both engines: what a run holds of the source, and control sessions on it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import Protocol

from etl.settings import SourceSettings
from etl.source.endpoint import Endpoint
from etl.source.host import host_warning
from etl.source.postgres import snapshot as postgres
from etl.source.session import Session
from etl.source.snapshot import HeldSnapshot, OpenSnapshot, Say, Snapshot, say_nothing, watched
from etl.source.throttle.heartbeat import EVERY_SECONDS
from schemas.types import EngineName


class Engine(Protocol):
    """What an engine's module `snapshot` offers."""

    def hold_snapshot(
        self, endpoint: Endpoint, source: SourceSettings, tables: Sequence[str] = ()
    ) -> AbstractContextManager[OpenSnapshot]:
        """Proves a reader, waits until it is fresh, and keeps a session on it open; see `hold_snapshot` below."""

    def join_snapshot(self, snapshot: Snapshot, tables: Sequence[str] = ()) -> AbstractContextManager[Session]:
        """Opens a control session on what is held; see `join_snapshot` below."""


@contextmanager
def hold_snapshot(
    source: SourceSettings,
    run_id: str = "",
    say: Say = say_nothing,
    every: float = EVERY_SECONDS,
    tables: Sequence[str] = (),
) -> Iterator[HeldSnapshot]:
    """Proves the reader and holds what the run reads until the end.

    A heartbeat keeps the session that holds it from being forgotten on the way, and notices within seconds that the
    session has ended, that the reader was promoted, or that nothing answers any more.

    Args:
        source: the settings.
        run_id: for the server's list of sessions.
        say: hears warnings, and how the governor decides.
        every: seconds between heartbeats.
        tables: what will be read, each as `schema.table`: PostgreSQL locks it against changes of its definition.

    Raises:
        CredentialsRefused, SettingsInvalid, SourceUnavailable: see the engine's `control_connection`.
        EndpointRefused: see the engine's `prove_reader`.
        ReaderLags: see `wait_until_fresh`.
    """
    endpoint = Endpoint.of(source, run_id)
    _warn(host_warning(endpoint.host), say)
    with _engine(endpoint.engine).hold_snapshot(endpoint, source, tables) as opened:
        _warn(opened.warning, say)
        with watched(source, opened, say, every) as held:
            yield held


@contextmanager
def join_snapshot(snapshot: Snapshot, tables: Sequence[str] = ()) -> Iterator[Session]:
    """Opens another control session on what the run reads; it proves the reader again.

    Args:
        snapshot: what is held.
        tables: those whose definitions the session is going to be asked for; see `Session.definition`.

    Raises:
        ReaderChanged: the session is on a writer or on another instance now.
        SnapshotLost: the snapshot cannot be joined any more.
        SourceUnavailable: the session ended before it could join; another try may pass.
    """
    with _engine(snapshot.endpoint.engine).join_snapshot(snapshot, tables) as session:
        yield session


def _warn(warning: str | None, say: Say) -> None:
    if warning:
        say("warning", {"warning": warning})


def _engine(name: EngineName) -> Engine:
    if name == "mysql":
        from etl.source.mysql import snapshot as mysql  # noqa: PLC0415  PyMySQL is loaded only where a URL says mysql

        return mysql
    return postgres
