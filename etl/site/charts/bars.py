"""Bars across: ranks and the steps of a funnel; and squares of two categories, darker for more."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from etl.site.charts.drawing import Chart, element, svg, table_of, text, text_width, titled
from etl.site.charts.scale import full, short

_WIDTH: Final = 720.0
_ROW: Final = 30.0
_CELL: Final = 30.0
_GAP: Final = 10.0
_SHADES: Final = 5
_ROOM_FOR_NUMBER: Final = 34.0


def bars(
    label: str, head: Sequence[str], values: Mapping[str, float], *, funnel: bool = False, percent: bool = False
) -> Chart:
    """Returns a bar for each name, longest for the most; of a funnel with the share of the step before.

    Args:
        label: what the chart shows, for a screen reader.
        head: what the names and the values are.
        values: name → value, from the top.
        funnel: whether each is a part of the one before.
        percent: whether values are shares.
    """
    if not values:
        return Chart("", (), ())
    left = min(max(text_width(name, 13) for name in values) + 16, 260.0)
    room = _WIDTH - left - 96
    most = max(values.values()) or 1.0
    parts, before = [], None
    for number, (name, value) in enumerate(values.items()):
        y = number * _ROW
        wide = max(room * value / most, 1.0)
        share = f" · {100 * value / before:.0f} %" if funnel and before else ""
        box = element("rect", x=left, y=y + 5, width=wide, height=_ROW - 10, class_="c1")
        parts += [
            text(name, x=left - 10, y=y + 20, text_anchor="end", class_="name"),
            titled(box, f"{name}: {full(value, percent=percent)}"),
            text(f"{short(value, percent=percent)}{share}", x=left + wide + 8, y=y + 20),
        ]
        before = value
    rows = tuple((name, full(value, percent=percent)) for name, value in values.items())
    return Chart(svg(_WIDTH, len(values) * _ROW, parts, label), tuple(head), rows)


def heat(label: str, head: str, values: Mapping[tuple[str, str], float], *, percent: bool = False) -> Chart:
    """Returns squares: a row for each series, a column for each x, in five shades; a missing one stays empty."""
    xs, series = (list(dict.fromkeys(key[place] for key in values)) for place in (0, 1))
    if not xs:
        return Chart("", (), ())
    left = max(text_width(name, 13) for name in series) + 16
    wide = min((_WIDTH - left) / len(xs), 84.0)
    most = max(values.values()) or 1.0
    parts = [
        text(name, x=left - 10, y=number * _CELL + 20, text_anchor="end", class_="name")
        for number, name in enumerate(series)
    ]
    for (x, name), value in values.items():
        shade = 1 + min(_SHADES - 1, int(_SHADES * value / most))
        at, top = left + xs.index(x) * wide, series.index(name) * _CELL
        box = element("rect", x=at + 1, y=top + 1, width=wide - 2, height=_CELL - 2, class_=f"h{shade}")
        number = text(
            short(value, percent=percent), x=at + wide / 2, y=top + 20, text_anchor="middle", class_=f"on{shade}"
        )
        shown = number if wide >= _ROOM_FOR_NUMBER else ""
        parts.append(titled(box + shown, f"{x} · {name}: {full(value, percent=percent)}"))
    high = len(series) * _CELL
    every = max(1, -(-int(max(text_width(x) for x in xs) + _GAP) // max(1, int(wide))))
    parts += [
        text(x, x=left + (number + 0.5) * wide, y=high + 18, text_anchor="middle")
        for number, x in enumerate(xs)
        if number % every == 0
    ]
    rows = tuple(
        (x, *(full(one, percent=percent) for one in row))
        for x, row in zip(xs, table_of(values, xs, series), strict=True)
    )
    return Chart(svg(_WIDTH, high + 26, parts, label), (head, *series), rows)
