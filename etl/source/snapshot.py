"""One pinned snapshot for a whole run: exported on one reader, held open by the driver, imported by every slice."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace

import psycopg

from etl.errors import NOT_PUBLISHED, SourceUnavailable
from etl.source.connect import Endpoint, control_connection
from etl.source.guard import Reader, prove_reader


@dataclass(frozen=True)
class Snapshot:
    """What a slice needs to read the very same rows: the pinned instance and the snapshot's name."""

    endpoint: Endpoint
    name: str
    reader: Reader


class HeldSnapshot:
    """The driver's hold on a snapshot; `check` tells whether it still stands."""

    def __init__(self, connection: psycopg.Connection[tuple[object, ...]], snapshot: Snapshot) -> None:
        self._connection = connection
        self.snapshot = snapshot

    def check(self) -> None:
        """Proves that the snapshot is still held.

        Raises:
            SourceUnavailable: the session that held it has ended; slices may have read different states.
        """
        alive = False
        try:
            self._connection.execute("SELECT 1")
            alive = True
        except psycopg.Error:
            pass
        if not alive:
            raise SourceUnavailable(
                "The session that pinned the snapshot has ended.",
                not_done=NOT_PUBLISHED,
                where=self.snapshot.endpoint.place,
            )


@contextmanager
def pinned_snapshot(endpoint: Endpoint, allowed_instances: Sequence[str] = ()) -> Iterator[HeldSnapshot]:
    """Exports a snapshot on one proven reader and holds it until the end.

    The address of the first connection is kept: an exported snapshot is local to one instance, and an endpoint's
    name may resolve to another one a moment later.

    Raises:
        EndpointRefused: see `prove_reader`.
        CredentialsRefused, SourceUnavailable: see `control_connection`.
    """
    with control_connection(endpoint) as connection:
        connection.execute("BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        reader = prove_reader(lambda sql: _only_row(connection, sql), endpoint, allowed_instances)
        (name,) = _only_row(connection, "SELECT pg_export_snapshot()")
        pinned = replace(endpoint, address=connection.info.hostaddr or None)
        yield HeldSnapshot(connection, Snapshot(pinned, str(name), reader))


@contextmanager
def joined_snapshot(snapshot: Snapshot) -> Iterator[psycopg.Connection[tuple[object, ...]]]:
    """Opens another control session that sees exactly the snapshot's rows; it proves the reader again."""
    with control_connection(snapshot.endpoint) as connection:
        prove_reader(lambda sql: _only_row(connection, sql), snapshot.endpoint, (snapshot.reader.instance,))
        connection.execute("BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        connection.execute(f"SET TRANSACTION SNAPSHOT '{snapshot.name}'".encode())
        yield connection


def _only_row(connection: psycopg.Connection[tuple[object, ...]], sql: str) -> Sequence[object]:
    row = connection.execute(sql.encode()).fetchone()
    return row if row is not None else ()
