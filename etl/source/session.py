"""What the flow asks of a source, whatever its engine: a hold on what is read, and control sessions."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Protocol

from etl.source.catalogue import SourceTable
from etl.source.dialect import Dialect
from etl.source.slice import Slice
from etl.source.snapshot import Snapshot
from etl.source.throttle.governor import Governor


class Held(Protocol):
    """The driver's hold on what a run reads."""

    @property
    def snapshot(self) -> Snapshot:
        """What slices need to read it."""

    @property
    def governor(self) -> Governor:
        """Gives turns to connect; every connection but the holding one needs one."""

    @property
    def check(self) -> Callable[[], None]:
        """Proves that it still stands, or raises RunLost: slices may have read different states."""


class Session(Protocol):
    """A session on a proven reader for metadata and aggregates, never for rows. Its errors are ours."""

    dialect: Dialect

    def isolated(self) -> AbstractContextManager[object]:
        """Keeps one table's error from ending the transaction of all."""

    def describe(self, table: str) -> SourceTable | None:
        """Gives what the catalogue says about `schema.table`, or None where there is no such relation.

        Raises:
            PlanRejected: the ETL user may not look at it.
        """

    def relations(self) -> tuple[str, ...]:
        """Gives every table and view of the database as `schema.table`; partitions count as parts of their table."""

    def estimated_rows(self, table: str, where: str) -> int:
        """Gives the planner's estimate of a table's rows under a condition, from its statistics."""

    def slices(self, table: SourceTable, count: int, key: Sequence[str] = (), where: str = "TRUE") -> tuple[Slice, ...]:
        """Cuts a relation, or its rows that meet a condition, into about so many slices of about equal work.

        Args:
            table: from the catalogue.
            count: how many slices to aim at.
            key: columns that identify a row, for relations that have no pages and no key in the catalogue.
            where: SQL; TRUE for the whole relation.
        """

    def minutes(self, table: str, column: str, where: str, share: float) -> Mapping[int, int]:
        """Gives how many rows each minute has, by minutes since 1970 (UTC).

        Args:
            table: `schema.table`.
            column: a timestamp.
            where: which rows.
            share: of the rows to look at, at random; the counts are theirs.
        """

    def width(self, table: SourceTable, columns: Sequence[str]) -> int:
        """Gives about how many bytes the columns of a row have, from the statistics; 0 where nobody knows."""

    def rows(self, sql: str) -> Sequence[Sequence[object]]:
        """Gives the rows of a query: of counts and bounds, and of the sample that discovery takes on request.

        Raises:
            SourceUnavailable, ReadFailed: the query failed.
        """

    def row(self, sql: str) -> Sequence[object]:
        """Gives the only row of a query.

        Raises:
            SourceUnavailable, ReadFailed: the query failed.
        """
