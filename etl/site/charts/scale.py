"""Axes: where a value stands, and which round values are marked."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

_STEPS: Final = (1, 2, 2.5, 5, 10)
_UNITS: Final = ((1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k"))


@dataclass(frozen=True)
class Scale:
    """Values from 0 to the highest mark, drawn from one place to another."""

    top: float
    step: float
    start: float
    end: float

    @classmethod
    def of(cls, highest: float, start: float, end: float, marks: int = 4) -> Scale:
        """Returns a scale that holds a value, with about so many round marks."""
        held = highest or 1.0
        wanted = held / marks
        power = 10 ** math.floor(math.log10(wanted))
        step = next(one * power for one in _STEPS if one * power >= wanted * 0.999999)
        return cls(math.ceil(held / step - 1e-9) * step, step, start, end)

    def at(self, value: float) -> float:
        """Returns where a value stands."""
        return self.start + (self.end - self.start) * value / self.top

    @property
    def marks(self) -> tuple[float, ...]:
        """The marked values."""
        return tuple(number * self.step for number in range(round(self.top / self.step) + 1))


def short(value: float, *, percent: bool = False) -> str:
    """Returns a value in few signs: 1.2M, 350k, 12 %, 0.4."""
    if percent:
        return f"{100 * value:.3g}%"
    for size, unit in _UNITS:
        if abs(value) >= size:
            return f"{value / size:.3g}{unit}"
    return f"{value:.3g}" if value % 1 else f"{value:.0f}"


def full(value: float | None, *, percent: bool = False) -> str:
    """Returns a value for a table of numbers."""
    if value is None:
        return "–"
    if percent:
        return f"{100 * value:.1f} %"
    return f"{value:,.0f}" if value == round(value) else f"{value:,.2f}"
