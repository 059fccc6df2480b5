"""Columns over days, months or runs, stacked or side by side; and lines over the same."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from etl.site.charts.drawing import Chart, color, element, svg, table_of, text, text_width, titled
from etl.site.charts.scale import Scale, full, short

_WIDTH: Final = 720.0
_HEIGHT: Final = 260.0
_LEFT, _RIGHT, _TOP, _BOTTOM = 52.0, 8.0, 14.0, 28.0
_WIDEST: Final = 56.0

Values = Mapping[tuple[str, str], float]


@dataclass(frozen=True)
class _Frame:
    """Where a chart's values stand: x by x across, upwards by the scale."""

    xs: Sequence[str]
    series: Sequence[str]
    rows: Sequence[Sequence[float | None]]
    scale: Scale
    percent: bool

    @property
    def slot(self) -> float:
        """How wide the place of one x is."""
        return (_WIDTH - _LEFT - _RIGHT) / max(1, len(self.xs))

    def middle(self, number: int) -> float:
        """Returns the middle of an x."""
        return _LEFT + self.slot * (number + 0.5)


def columns(label: str, head: str, values: Values, *, stacked: bool = True, percent: bool = False) -> Chart:
    """Returns columns: for each x one for every series, stacked or side by side.

    Args:
        label: what the chart shows, for a screen reader.
        head: what x is.
        values: (x, series) → value; both in the order in which they come.
        stacked: whether series are parts of a whole.
        percent: whether values are shares.
    """
    frame = _frame(values, stacked=stacked, percent=percent)
    draw = _stack if stacked else _side_by_side
    parts = [part for number in range(len(frame.xs)) for part in draw(frame, number)]
    return _chart(frame, label, head, parts)


def lines(label: str, head: str, values: Values, *, percent: bool = False) -> Chart:
    """Returns a line for every series; see `columns`."""
    frame = _frame(values, stacked=False, percent=percent)
    parts = [part for one in frame.series for part in _line(frame, one)]
    return _chart(frame, label, head, parts)


def _frame(values: Values, *, stacked: bool, percent: bool) -> _Frame:
    xs, series = (list(dict.fromkeys(key[place] for key in values)) for place in (0, 1))
    rows = table_of(values, xs, series)
    total = sum if stacked else max
    highest = max((total(value or 0.0 for value in row) for row in rows), default=0.0)
    return _Frame(xs, series, rows, Scale.of(highest, _HEIGHT - _BOTTOM, _TOP), percent)


def _chart(frame: _Frame, label: str, head: str, parts: Sequence[str]) -> Chart:
    if not frame.xs:
        return Chart("", (), ())
    rows = tuple(
        (x, *(full(one, percent=frame.percent) for one in row)) for x, row in zip(frame.xs, frame.rows, strict=True)
    )
    drawn = svg(_WIDTH, _HEIGHT, [*_axes(frame), *parts], label)
    return Chart(drawn, (head, *frame.series), rows, tuple(frame.series) if len(frame.series) > 1 else ())


def _axes(frame: _Frame) -> list[str]:
    parts = []
    for mark in frame.scale.marks:
        y = frame.scale.at(mark)
        parts.append(element("line", x1=_LEFT, x2=_WIDTH - _RIGHT, y1=y, y2=y, class_="rule" if mark else "axis"))
        parts.append(text(short(mark, percent=frame.percent), x=_LEFT - 8, y=y + 4, text_anchor="end"))
    widest = max(text_width(x) for x in frame.xs)
    every = max(1, -(-int(widest + 26) // max(1, int(frame.slot))))
    for number in range(len(frame.xs) - 1, -1, -every):
        at = min(frame.middle(number), _WIDTH - widest / 2)
        parts.append(text(frame.xs[number], x=at, y=_HEIGHT - 8, text_anchor="middle"))
    return parts


def _stack(frame: _Frame, number: int) -> list[str]:
    wide = min(frame.slot * 0.72, _WIDEST)
    drawn, below = [], 0.0
    for name, value in zip(frame.series, frame.rows[number], strict=True):
        if value:
            drawn.append(_box(frame, number, name, value, (frame.middle(number) - wide / 2, wide, below)))
            below += value
    return drawn


def _side_by_side(frame: _Frame, number: int) -> list[str]:
    wide = min(frame.slot * 0.76, _WIDEST * 1.4) / max(1, len(frame.series))
    left = frame.middle(number) - wide * len(frame.series) / 2
    return [
        _box(frame, number, name, value, (left + place * wide, wide * 0.92, 0.0))
        for place, (name, value) in enumerate(zip(frame.series, frame.rows[number], strict=True))
        if value
    ]


def _box(frame: _Frame, number: int, name: str, value: float, place: tuple[float, float, float]) -> str:
    left, wide, below = place
    top = frame.scale.at(below + value)
    high = frame.scale.at(below) - top
    box = element("rect", x=left, y=top, width=wide, height=max(high, 0.8), class_=color(frame.series, name))
    who = f" · {name}" if len(frame.series) > 1 else ""
    return titled(box, f"{frame.xs[number]}{who}: {full(value, percent=frame.percent)}")


def _line(frame: _Frame, name: str) -> list[str]:
    place = list(frame.series).index(name)
    points = [
        (frame.middle(number), frame.scale.at(value), frame.xs[number], value)
        for number, row in enumerate(frame.rows)
        if (value := row[place]) is not None
    ]
    if not points:
        return []
    kind = color(frame.series, name)
    path = "M" + "L".join(f"{x:.1f} {y:.1f}" for x, y, _, _ in points)
    dots = [
        titled(
            element("circle", cx=x, cy=y, r=3.0, class_=kind),
            f"{at} · {name}: {full(value, percent=frame.percent)}",
        )
        for x, y, at, value in points
    ]
    return [element("path", d=path, class_=f"line {kind}"), *dots]
