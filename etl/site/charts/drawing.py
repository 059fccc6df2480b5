"""What every chart shares: a chart with its numbers, the elements of SVG, and widths of text."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape

Value = float | int | str


@dataclass(frozen=True)
class Chart:
    """A picture and the numbers that it is drawn from.

    Attributes:
        svg: the picture; empty where there is nothing to draw.
        head, rows: the same as a table, for those who do not see it.
        series: names of the colors, in their order; empty where one color needs no name.
    """

    svg: str
    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    series: tuple[str, ...] = ()


def element(name: str, content: str = "", /, **attributes: Value) -> str:
    """Returns an SVG element; an underscore in an attribute's name is a hyphen, and one at its end is left out."""
    said = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{_number(value)}"' for key, value in attributes.items() if value != ""
    )
    return f"<{name}{said}>{content}</{name}>" if content else f"<{name}{said}/>"


def text(content: str, /, **attributes: Value) -> str:
    """Returns an SVG text."""
    return element("text", escape(content), **attributes)


def titled(content: str, title: str) -> str:
    """Returns a group whose title shows where the mouse rests."""
    return element("g", element("title", escape(title)) + content)


def svg(width: float, height: float, parts: Sequence[str], label: str, role: str = "img") -> str:
    """Returns the picture, named for a screen reader; one with links in it is a group and no image."""
    title = element("title", escape(label))
    return element("svg", title + "".join(parts), viewBox=f"0 0 {width:g} {height:g}", role=role, class_="chart")


def text_width(content: str, size: float = 12) -> float:
    """Returns about how wide a text is: full-width characters are one em, others a little more than half of one."""
    return sum(size if unicodedata.east_asian_width(sign) in "WF" else size * 0.56 for sign in content)


def color(series: Sequence[str], name: str) -> str:
    """Returns the class of a series' color; the style sheet has six."""
    return f"c{series.index(name) % 8 + 1}"


def table_of(
    values: Mapping[tuple[str, str], float], xs: Sequence[str], series: Sequence[str]
) -> list[list[float | None]]:
    """Returns one row for each x with a value for each series; None where there is none."""
    return [[values.get((x, one)) for one in series] for x in xs]


def _number(value: Value) -> str:
    return f"{value:.2f}".rstrip("0").rstrip(".") if isinstance(value, float) else escape(str(value))
