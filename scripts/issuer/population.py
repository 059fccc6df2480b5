"""The made-up issuer's size and calendar: how many of what exist on which business day, from a few numbers alone."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import date, timedelta
from math import ceil
from typing import Final

APPROVAL_RATE: Final = 0.68
"""The share of applications that become members (fiction/courses.sql, synth.verdict)."""

PAYMENTS_PER_MEMBER: Final = 20
"""Payments for each member over the days of `create`, where no number of members is given."""

_WEEK: Final = (92, 94, 96, 100, 110, 108, 100)
"""How busy Monday to Sunday are; a usual day is 100."""

_ONE_DAY: Final = timedelta(days=1)


@dataclass(frozen=True)
class Population:
    """What `create` fixed for good; every later row is a function of it and of the business day.

    Args:
        seed: equal seeds give equal rows.
        first_day: the first business day (JST) with payments.
        payments_a_day: payments on a usual day.
        members: members at the beginning of the first day, about.
    """

    seed: int
    first_day: date
    payments_a_day: float
    members: int

    @classmethod
    def of_scale(cls, scale: int, seed: int, first_day: date, last_day: date, members: int | None = None) -> Population:
        """Returns the population that has about `scale` payments from the first to the last day."""
        busy = sum(_WEEK[day.weekday()] for day in days(first_day, last_day))
        return cls(seed, first_day, scale * 100 / busy, members or max(40, scale // PAYMENTS_PER_MEMBER))

    @classmethod
    def from_json(cls, stored: dict[str, str]) -> Population:
        """Reads what `to_json` gave."""
        return cls(
            int(stored["seed"]),
            date.fromisoformat(stored["first_day"]),
            float(stored["payments_a_day"]),
            int(stored["members"]),
        )

    def to_json(self) -> dict[str, str]:
        """Returns the population as text values, for the database to remember."""
        return {name: str(value) for name, value in asdict(self).items()}

    @property
    def early_applications(self) -> int:
        """Applications made before the first day."""
        return ceil(self.members / APPROVAL_RATE)

    @property
    def applications_a_day(self) -> int:
        """Applications on each business day from the first."""
        return max(4, self.members // 500)

    def applications_until(self, day: date) -> int:
        """How many applications exist at the end of a day that is not before the eve of the first."""
        return self.early_applications + self.applications_a_day * ((day - self.first_day).days + 1)

    def payments_before(self, day: date) -> int:
        """How many payments are authorized from the first day until the eve of this one."""
        weeks, rest = divmod((day - self.first_day).days, 7)
        tail = sum(_WEEK[(self.first_day + n * _ONE_DAY).weekday()] for n in range(rest))
        return round((weeks * sum(_WEEK) + tail) * self.payments_a_day / 100)

    def payments_on(self, day: date) -> int:
        """How many payments are authorized on a day, whenever they reach the database."""
        return self.payments_before(day + _ONE_DAY) - self.payments_before(day)


def days(first: date, last: date) -> list[date]:
    """Returns the days from the first to the last, both included."""
    return [first + n * _ONE_DAY for n in range((last - first).days + 1)]
