"""What the flow asks of a source, whatever its engine: a control session for metadata and aggregates."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Protocol

from etl.source.catalogue import Definition, SourceTable
from etl.source.dialect import Dialect
from etl.source.slice import Slice
from masking.errors import KagemushaError


class ReadFailed(KagemushaError):
    """The database or the reader refused a query of ours."""

    advice = "Compare the contract's types with the table, and the grants of the ETL user."


class Session(Protocol):
    """A session on a proven reader, for metadata and aggregates and not for loading rows. Its errors are ours."""

    dialect: Dialect

    def isolated(self) -> AbstractContextManager[object]:
        """Keeps one table's error from ending the transaction of all."""

    def describe(self, table: str) -> SourceTable | None:
        """Returns what the catalogue says about `schema.table`, or None where there is no such relation.

        Raises:
            PlanRejected: the ETL user may not look at it.
        """

    def definition(self, table: str) -> Definition | None:
        """Returns what `schema.table` is at this moment, or None where there is no such relation.

        Raises:
            SourceChanged: the snapshot knows another one.
        """

    def relations(self) -> tuple[str, ...]:
        """Returns every table and view of the database as `schema.table`; partitions count as parts of their table."""

    def estimated_rows(self, table: str, where: str) -> int:
        """Returns the planner's estimate of a table's rows under a condition, from its statistics."""

    def slices(self, table: SourceTable, count: int, key: Sequence[str] = (), where: str = "TRUE") -> tuple[Slice, ...]:
        """Cuts a relation, or its rows that meet a condition, into about `count` slices of about equal work.

        Args:
            table: from the catalogue.
            count: how many slices to aim at.
            key: columns that identify a row, for relations that have no pages and no key in the catalogue.
            where: SQL; TRUE for the whole relation.
        """

    def minutes(self, table: str, column: str, where: str, share: float) -> Mapping[int, int]:
        """Returns how many rows each minute has, by minutes since 1970 (UTC).

        Args:
            table: `schema.table`.
            column: a timestamp.
            where: which rows.
            share: the share of rows to count, chosen at random; the counts are not scaled up.
        """

    def width(self, table: SourceTable, columns: Sequence[str]) -> int:
        """Returns about how many bytes the columns of a row have, from the statistics; 0 where these have none."""

    def rows(self, sql: str) -> Sequence[Sequence[object]]:
        """Returns the rows of a query: of counts and bounds, and of the sample that discovery takes on request.

        Raises:
            SourceUnavailable, ReadFailed: the query failed.
        """

    def row(self, sql: str) -> Sequence[object]:
        """Returns the only row of a query.

        Raises:
            SourceUnavailable, ReadFailed: the query failed.
        """
