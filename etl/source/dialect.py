"""How each engine spells the few pieces of SQL that the flow needs; one object an engine."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from typing import Final, Literal

from schemas.types import ColumnType, EngineName


@dataclass(frozen=True)
class ReadColumn:
    """A column to select, and the contract type in which it must arrive.

    Attributes:
        name: under which it arrives.
        source: its name at the source, where that is another one.
        on_unfit: what becomes of a value that its type or BigQuery cannot hold; only `fail` stops the table.
    """

    name: str
    type: ColumnType
    source: str = ""
    on_unfit: Literal["fail", "null", "quarantine"] = "fail"

    @property
    def at_source(self) -> str:
        """The source's own name of the column."""
        return self.source or self.name


@dataclass(frozen=True)
class Dialect:
    """An engine's spellings.

    Attributes:
        name: of the engine, as the types table has it.
        quote: the mark around identifiers, doubled inside them.
        instant: the literal of an instant; {} is its UTC time. Sessions run in UTC.
        exact: the expression of a sum as an exact decimal; {} is the sum.
        clock: how far the times of the columns in question are ahead of UTC.
    """

    name: EngineName
    quote: str
    instant: str
    exact: str
    clock: timedelta = timedelta(0)

    def quoted(self, name: str) -> str:
        """Returns an identifier, or identifiers joined by dots, in quotes."""
        mark = self.quote
        return ".".join(mark + part.replace(mark, mark * 2) + mark for part in name.split("."))

    def column(self, name: str) -> str:
        """Returns a column's name in quotes; a dot in it is a dot."""
        return self.quote + name.replace(self.quote, self.quote * 2) + self.quote

    def of_clock(self, clock: timedelta | None) -> Dialect:
        """Returns the dialect whose instants are compared with the times of a clock; itself where there is none."""
        return self if clock is None else replace(self, instant="TIMESTAMP '{}'", clock=clock)

    def at(self, moment: datetime) -> str:
        """Returns the literal of an instant."""
        return self.instant.format((moment.astimezone(UTC) + self.clock).strftime("%Y-%m-%d %H:%M:%S.%f"))

    def on(self, day: date) -> str:
        """Returns the literal of a date."""
        return f"DATE '{day.isoformat()}'"

    def expression(self, column: ReadColumn) -> str:
        """Returns the expression that hands a column over without loss."""
        return column.type.select(self.column(column.at_source), self.name)

    def select(self, source: str, columns: Sequence[ReadColumn], where: str) -> str:
        """Returns the SELECT of a slice; dropped columns are not in it and never leave the database."""
        names = ", ".join(f"{self.expression(column)} AS {self.column(column.name)}" for column in columns)
        return f"SELECT {names} FROM {self.quoted(source)} WHERE {where}"

    def totals(self, source: str, sums: Sequence[str], where: str) -> str:
        """Returns the query for the row count and the exact sums of some columns."""
        added = [self.exact.format(f"coalesce(sum({self.column(name)}), 0)") for name in sums]
        return f"SELECT {', '.join(['count(*)', *added])} FROM {self.quoted(source)} WHERE {where}"


POSTGRES: Final = Dialect("postgres", '"', "TIMESTAMPTZ '{}+00'", "{}::numeric")
MYSQL: Final = Dialect("mysql", "`", "TIMESTAMP '{}'", "{}")
