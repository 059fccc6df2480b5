"""Templates at work: every value is escaped, but for the charts' own SVG."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from functools import lru_cache
from typing import Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from etl.reports.facts.said import Said
from etl.reports.words.wording import Wording
from etl.site.charts.drawing import Chart
from schemas.package_data import data_folder
from schemas.words import Text

TEMPLATES: Final = "etl.site.templates"
_UNITS: Final = ((2**40, "TiB"), (2**30, "GiB"), (2**20, "MiB"), (2**10, "KiB"))
_CENT: Final = 0.01


def render(template: str, say: Wording, values: Mapping[str, object]) -> str:
    """Returns a page in a language."""
    return _environment().get_template(template).render({**values, "say": say, "t": say.text, "lang": say.language})


@lru_cache(maxsize=1)
def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(data_folder(TEMPLATES)),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "count": count,
        "size": size,
        "clock": clock,
        "usd": usd,
        "picture": picture,
        "share": share,
    }
    environment.globals |= {"sentence": sentence, "words": words}
    return environment


def sentence(one: Said, say: Wording) -> str:
    """Returns a sentence in a language."""
    return say.say(one)


def words(text: Text, say: Wording) -> str:
    """Returns a contract's text in a language."""
    return say.of(text)


def count(value: float | None) -> str:
    """Returns a whole number with separators; a dash for none."""
    return "–" if value is None else f"{value:,.0f}"


def size(value: int | None) -> str:
    """Returns bytes in a unit that people read."""
    if value is None:
        return "–"
    for unit, name in _UNITS:
        if value >= unit:
            return f"{value / unit:,.1f} {name}"
    return f"{value:,} B"


def share(value: float) -> str:
    """Returns a share in percent, with as many digits as it takes to show something."""
    return f"{100 * value:.3g} %"


def usd(value: float | None) -> str:
    """Returns dollars to the cent; less than one, but more than nothing, is said as that."""
    if value is None:
        return "–"
    return f"{value:,.2f}" if value >= _CENT or not value else f"< {_CENT}"


def clock(instant: datetime | None) -> str:
    """Returns an instant to the minute."""
    return "–" if instant is None else f"{instant:%Y-%m-%d %H:%M}"


def picture(chart: Chart | str) -> Markup:
    """Returns a chart's SVG as it is: our own functions made it, and escaped every text in it."""
    return Markup(chart.svg if isinstance(chart, Chart) else chart)  # noqa: S704  escaped where it was drawn
