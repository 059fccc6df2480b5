"""The business days whose arrivals are written in one go, and what the SQL files want to know about them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

import psycopg

from scripts.issuer.population import Population, days

HISTORY_MONTHS: Final = 6
"""Months before the first day whose statements exist already."""

LATE_DAYS: Final = 2
"""A row reaches the database at most this many days after it happened."""

BY_HAND: Final = 900_000_000_000
"""Ids from here on belong to rows that people insert."""

_BEGINNING: Final = date(2000, 1, 1)


@dataclass(frozen=True)
class Window:
    """A run of business days.

    Args:
        population: who and how much.
        start: the first day.
        end: the last day, at whose end the rows stand.
        history: whether everything before the start is written too.
    """

    population: Population
    start: date
    end: date
    history: bool

    @property
    def payment_days(self) -> tuple[date, date]:
        """The first and the last day on which payments of this window were authorized, late ones included."""
        return max(self.population.first_day, self.start - timedelta(days=LATE_DAYS)), self.end

    @property
    def applications(self) -> tuple[int, int]:
        """The numbers of the first and the last application of this window."""
        before = 0 if self.history else self.population.applications_until(self.start - timedelta(days=1))
        return before + 1, self.population.applications_until(self.end)

    @property
    def billed_months(self) -> tuple[list[date], list[date]]:
        """The months whose statements may be issued in this window: those with made-up sums, those with payments."""
        first = self.population.first_day
        oldest = _months_before(first, HISTORY_MONTHS) if self.history else _months_before(self.start, 1)
        months = [day for day in days(oldest, self.end) if day.day == 1]
        return [month for month in months if month < first], [month for month in months if month >= first]

    def values(self, connection: psycopg.Connection) -> dict[str, object]:
        """Returns the placeholders of rows/*.sql and changes/*.sql."""
        people = self.population
        since = _BEGINNING if self.history else self.start
        return {
            "first": people.first_day,
            "base": people.early_applications,
            "daily": people.applications_a_day,
            "from": since,
            "to": self.end,
            "days_from": self.payment_days[0],
            "days_to": self.payment_days[1],
            "members_before": _highest(connection, "members", "member_id"),
            "cards_before": _highest(connection, "cards", "card_id"),
        }


def _highest(connection: psycopg.Connection, table: str, key: str) -> int:
    row = connection.execute(f"SELECT coalesce(max({key}), 0) FROM issuing.{table} WHERE {key} < {BY_HAND}").fetchone()
    return int(row[0]) if row else 0


def _months_before(day: date, months: int) -> date:
    index = day.year * 12 + day.month - 1 - months
    return date(index // 12, index % 12 + 1, 1)
