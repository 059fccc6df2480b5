"""Small lines without axes: one value over loads, in the band of its middle half."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import quantiles
from typing import Final

from etl.site.charts.drawing import element, svg

_WIDTH, _HEIGHT, _EDGE = 132.0, 30.0, 4.0
_BAND_FROM: Final = 4


def spark(label: str, values: Sequence[float], most: float = 0.0) -> str:
    """Returns a small line; with a band where there are enough values for quartiles.

    Args:
        label: what it shows, with its last value.
        values: oldest first.
        most: what the top stands for; else the largest value.
    """
    top = max(most, *values, 1e-9)
    step = (_WIDTH - 2 * _EDGE) / max(1, len(values) - 1)

    def height(value: float) -> float:
        return _HEIGHT - _EDGE - (_HEIGHT - 2 * _EDGE) * value / top

    points = [(_EDGE + number * step, height(value)) for number, value in enumerate(values)]
    parts = []
    if len(values) >= _BAND_FROM:
        low, _, high = quantiles(values, n=4)
        thick = max(height(low) - height(high), 2.0)
        parts.append(element("rect", x=0, y=height(high), width=_WIDTH, height=thick, class_="band"))
    if len(points) > 1:
        parts.append(element("path", d="M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in points), class_="line c1"))
    x, y = points[-1]
    parts.append(element("circle", cx=x, cy=y, r=2.5, class_="c1"))
    return svg(_WIDTH, _HEIGHT, parts, label).replace('class="chart"', 'class="spark"', 1)
