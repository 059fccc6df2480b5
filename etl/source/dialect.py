"""How each engine spells the few pieces of SQL that the flow needs; one object an engine."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Final

from schemas.types import ColumnType, EngineName


@dataclass(frozen=True)
class ReadColumn:
    """A column to select, and the contract type in which it must arrive."""

    name: str
    type: ColumnType


@dataclass(frozen=True)
class Dialect:
    """An engine's spellings.

    Attributes:
        name: of the engine, as the types table has it.
        quote: the mark around identifiers, doubled inside them.
        instant: the literal of an instant; {} is its UTC time. Sessions run in UTC.
        exact: the expression of a sum as an exact decimal; {} is the sum.
    """

    name: EngineName
    quote: str
    instant: str
    exact: str

    def quoted(self, name: str) -> str:
        """Returns an identifier, or identifiers joined by dots, in quotes."""
        mark = self.quote
        return ".".join(mark + part.replace(mark, mark * 2) + mark for part in name.split("."))

    def at(self, moment: datetime) -> str:
        """Returns the literal of an instant."""
        return self.instant.format(moment.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S.%f"))

    def on(self, day: date) -> str:
        """Returns the literal of a date."""
        return f"DATE '{day.isoformat()}'"

    def expression(self, column: ReadColumn) -> str:
        """Returns the expression that hands a column over without loss."""
        return column.type.select(self.quoted(column.name), self.name)

    def select(self, source: str, columns: Sequence[ReadColumn], where: str) -> str:
        """Returns the SELECT of a slice; dropped columns are not in it and never leave the database."""
        names = ", ".join(f"{self.expression(column)} AS {self.quoted(column.name)}" for column in columns)
        return f"SELECT {names} FROM {self.quoted(source)} WHERE {where}"

    def totals(self, source: str, sums: Sequence[str], where: str) -> str:
        """Returns the query for the row count and the exact sums of some columns."""
        added = [self.exact.format(f"coalesce(sum({self.quoted(name)}), 0)") for name in sums]
        return f"SELECT {', '.join(['count(*)', *added])} FROM {self.quoted(source)} WHERE {where}"


POSTGRES: Final = Dialect("postgres", '"', "TIMESTAMPTZ '{}+00'", "{}::numeric")
MYSQL: Final = Dialect("mysql", "`", "TIMESTAMP '{}'", "{}")
