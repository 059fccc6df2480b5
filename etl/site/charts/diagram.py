"""How tables join: a box for each table, a curve for each join; what is joined stands to the right."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Final

from etl.reports.facts.catalog import JoinFacts
from etl.site.charts.drawing import element, svg, text, text_width, titled

_BOX_HIGH: Final = 30.0
_ROW: Final = 42.0
_ACROSS: Final = 96.0
_PASSES: Final = 4


def diagram(label: str, joins: Sequence[JoinFacts], link: Callable[[str], str]) -> str:
    """Returns the picture of joins; empty where there is none.

    Args:
        label: for a screen reader.
        joins: all of them.
        link: table → where its box leads.
    """
    if not joins:
        return ""
    parents: dict[str, list[str]] = {}
    for one in joins:
        parents.setdefault(one.table, []).append(one.other)
        parents.setdefault(one.other, [])
    layers = _ordered(_layers(parents), parents)
    wide = max(text_width(name, 13) for name in parents) + 24
    tallest = max(map(len, layers))
    place = {
        name: (column * (wide + _ACROSS), (tallest - len(layer)) * _ROW / 2 + row * _ROW)
        for column, layer in enumerate(layers)
        for row, name in enumerate(layer)
    }
    curves = [_curve(one, place, wide) for one in joins if one.table != one.other]
    boxes = [_box(name, link(name), at, wide) for name, at in place.items()]
    return svg(len(layers) * (wide + _ACROSS) - _ACROSS + 2, tallest * _ROW, [*curves, *boxes], label, "group")


def _layers(parents: Mapping[str, Sequence[str]]) -> list[list[str]]:
    """Returns the tables by how many joins lead away from them at most; those that join nothing come last."""
    depths: dict[str, int] = {}

    def depth(name: str, seen: frozenset[str]) -> int:
        if name not in depths:
            further = [depth(one, seen | {name}) for one in parents[name] if one not in seen and one != name]
            depths[name] = 1 + max(further, default=-1)
        return depths[name]

    for name in sorted(parents):
        depth(name, frozenset({name}))
    deepest = max(depths.values())
    return [sorted(name for name, one in depths.items() if one == level) for level in range(deepest, -1, -1)]


def _ordered(layers: list[list[str]], parents: Mapping[str, Sequence[str]]) -> list[list[str]]:
    """Returns each layer in an order in which few curves cross: tables stand near those that they join."""
    children: dict[str, list[str]] = {name: [] for name in parents}
    for name, others in parents.items():
        for other in others:
            children[other].append(name)
    for turn in range(_PASSES):
        beside = parents if turn % 2 == 0 else children
        rows = {name: number - len(layer) / 2 for layer in layers for number, name in enumerate(layer)}
        layers = [sorted(layer, key=lambda name: _mean(beside[name], rows, rows[name])) for layer in layers]
    return layers


def _mean(names: Iterable[str], rows: Mapping[str, float], otherwise: float) -> float:
    found = [rows[name] for name in names]
    return sum(found) / len(found) if found else otherwise


def _curve(one: JoinFacts, place: Mapping[str, tuple[float, float]], wide: float) -> str:
    (x1, y1), (x2, y2) = place[one.table], place[one.other]
    start, end = (x1 + wide, x2) if x1 < x2 else (x1, x2 + wide)
    y1, y2, half = y1 + _BOX_HIGH / 2 + 1, y2 + _BOX_HIGH / 2 + 1, (end - start) / 2
    path = f"M{start:.1f} {y1:.1f}C{start + half:.1f} {y1:.1f} {end - half:.1f} {y2:.1f} {end:.1f} {y2:.1f}"
    return titled(element("path", d=path, class_="join"), f"{one.table}.{one.column} = {one.other}.{one.key}")


def _box(name: str, href: str, at: tuple[float, float], wide: float) -> str:
    x, y = at
    box = element("rect", x=x + 1, y=y + 1, width=wide - 2, height=_BOX_HIGH, rx=6.0, class_="box")
    return element("a", box + text(name, x=x + wide / 2, y=y + 21, text_anchor="middle", class_="name"), href=href)
