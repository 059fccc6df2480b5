"""The picture of the README: bars of rows a second, ours and others', and the shares of a run; an SVG of its own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from scripts.benchmarks.figures import title

_WIDTH: Final = 800
_LEFT: Final = 345
_ROOM: Final = _WIDTH - _LEFT - 110
_ROW: Final = 30
_TOP: Final = 44
_NARROWEST: Final = 0.06
"""A share below this has no room for its figure."""
_LETTER: Final = 8.5
"""The room that a letter of a name takes; a name without room is left to the bar's title."""
_STYLE: Final = """
text { font: 13px system-ui, sans-serif; fill: #1f2328 } .small { font-size: 11px; fill: #59636e }
.head { font-weight: 600 } .page { fill: #ffffff } .ours { fill: #0b6e4f } .other { fill: #8c959f }
.s0 { fill: #59636e } .s1 { fill: #0b6e4f } .s2 { fill: #b35900 } .s3 { fill: #0a58a8 } .s4 { fill: #6e7781 }
.on { fill: #ffffff; font-size: 12px }
@media (prefers-color-scheme: dark) {
  text { fill: #f0f6fc } .small { fill: #9198a1 } .page { fill: #0d1117 }
  .ours { fill: #3fb68b } .other { fill: #656c76 }
  .s0 { fill: #656c76 } .s1 { fill: #1d7f5f } .s2 { fill: #9a5518 } .s3 { fill: #2b6cb0 } .s4 { fill: #57606a }
  .on { fill: #ffffff }
}
"""


def picture(figures: Mapping[str, Any]) -> str:
    """Returns the picture of a comparison's figures as SVG text."""
    bars = speeds(figures)
    high = _TOP + _ROW * len(bars) + 110
    root = Element("svg", xmlns="http://www.w3.org/2000/svg", viewBox=f"0 0 {_WIDTH} {high}", role="img")
    SubElement(
        root, "title"
    ).text = "Rows a second from PostgreSQL: ours masked, audited and published; others unmasked"
    SubElement(root, "style").text = _STYLE
    SubElement(root, "rect", {"class": "page", "width": str(_WIDTH), "height": str(high)})
    _text(root, 16, 24, f"Rows a second, {figures['rows']:,} payments", "head")
    most = max(speed for _, speed in bars.values())
    for number, (name, (kind, speed)) in enumerate(bars.items()):
        y = _TOP + number * _ROW
        wide = max(1.0, _ROOM * speed / most)
        _text(root, _LEFT - 10, y + 19, name, "", anchor="end")
        _rect(root, _LEFT, y + 4, wide, _ROW - 8, kind)
        _text(root, _LEFT + wide + 8, y + 19, f"{speed:,}")
    _shares(root, _TOP + _ROW * len(bars) + 30, figures["shares"])
    said = f"{figures['machine']}, servers on the same cores; {figures['measured_on']}; medians of {figures['runs']}"
    _text(root, 16, high - 12, said, "small")
    indent(root)
    return tostring(root, encoding="unicode") + "\n"


def speeds(figures: Mapping[str, Any]) -> dict[str, tuple[str, int]]:
    """Returns what is drawn: name → (ours or other, rows a second)."""
    ours = {
        "whole run: masked, audited, published": ("ours", figures["whole_run_rows_per_s"]),
        "staging alone, masked": ("ours", figures["ours_rows_per_s"]),
    }
    others = {f"{title(name)} → Parquet, unmasked": ("other", speed) for name, speed in figures["peers"].items()}
    copy = {"COPY binary to nowhere, unmasked": ("other", figures["copy_rows_per_s"])}
    return ours | dict(sorted((others | copy).items(), key=lambda one: one[1][1]))


def _shares(root: Element, y: float, shares: Mapping[str, float]) -> None:
    _text(root, 16, y, "Where the time of a whole run goes", "head")
    at, whole = 16.0, sum(shares.values())
    for number, (step, share) in enumerate(shares.items()):
        wide = (_WIDTH - 32) * share / whole
        box = _rect(root, at, y + 10, wide, 28, f"s{number}")
        SubElement(box, "title").text = f"{step}: {share:.1%}"
        if share >= _NARROWEST:
            said = f"{step} {share:.0%}"
            _text(root, at + 6, y + 28, said if wide > _LETTER * len(said) else f"{share:.0%}", "on")
        at += wide


def _rect(root: Element, x: float, y: float, wide: float, high: float, kind: str) -> Element:
    place = {"x": f"{x:.1f}", "y": f"{y:.1f}", "width": f"{wide:.1f}", "height": f"{high:.1f}", "class": kind}
    return SubElement(root, "rect", place)


def _text(root: Element, x: float, y: float, said: str, kind: str = "", anchor: str = "start") -> None:
    place = {"x": f"{x:.1f}", "y": f"{y:.1f}", "text-anchor": anchor}
    SubElement(root, "text", {**place, **({"class": kind} if kind else {})}).text = said
