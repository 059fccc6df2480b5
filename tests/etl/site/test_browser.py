"""The site as a browser shows it: no request leaves it, nothing complains, everybody can use it. `make site-check`."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.etl.site.chromium import Page, chromium

pytestmark = [pytest.mark.browser, pytest.mark.timeout(120)]
AXE = Path(__file__).parents[3] / ".venv-site" / "axe.min.js"
PAGES = (
    "index", "catalog", "runs", "evidence", "dashboards", "tables/payments", "views/daily_gmv",
    "runs/20230831-made-up", "ja/index", "ja/evidence", "ja/tables/payments",
)  # fmt: skip
WIDTHS = (320, 390, 768, 1024, 1600)


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    """Yields one tab for all tests."""
    with chromium(tmp_path_factory.mktemp("profile")) as page:
        yield page


@pytest.fixture
def tab(browser: Page, written: Path) -> Page:
    """Returns the tab, wide and light, on the first page, with nothing noted yet."""
    browser.resize(1280)
    browser.prefer()
    browser.open((written / "index.html").as_uri())
    browser.requests.clear()
    browser.complaints.clear()
    return browser


@pytest.mark.parametrize("page", PAGES)
def test_no_request_leaves_the_folder_and_nothing_complains(tab: Page, written: Path, page: str) -> None:
    """A page loads itself, the style sheet and two scripts, all of the site's own; the console stays empty."""
    tab.open((written / f"{page}.html").as_uri())
    own = written.as_uri()
    asked = {address for address in tab.requests if address != "data:,"}
    assert len(asked) == 4
    assert all(address.startswith(own) for address in asked)
    assert tab.complaints == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("page", PAGES)
def test_axe_finds_nothing_serious(tab: Page, written: Path, page: str, scheme: str) -> None:
    """Contrast, names, roles, landmarks and keyboard access hold in light and dark (axe-core, WCAG 2.1 AA)."""
    tab.prefer(scheme)
    tab.open((written / f"{page}.html").as_uri())
    tab.says(AXE.read_text(encoding="utf-8") + ";0")
    found = tab.says("axe.run(document,{resultTypes:['violations']}).then(r=>JSON.stringify(r.violations))")
    serious = [one for one in json.loads(found) if one["impact"] in {"serious", "critical"}]
    assert [(one["id"], one["nodes"][0]["html"][:200]) for one in serious] == []


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("page", PAGES)
def test_pages_fit_every_width(tab: Page, written: Path, page: str, width: int) -> None:
    """From a small phone to a large screen a page never scrolls sideways; what is wider scrolls in its own place."""
    tab.resize(width)
    tab.open((written / f"{page}.html").as_uri())
    assert tab.says("document.documentElement.scrollWidth") <= width


def found(tab: Page) -> list[str]:
    """Returns what the list under the search field says."""
    names: list[str] = tab.says("[...document.querySelectorAll('#found li')].map(one => one.textContent)")
    return names


@pytest.mark.parametrize(("typed", "first", "page"), [
    ("merchant_cat", "merchant_category", "tables/payments.html#merchant_category"),
    ("ｍｅｍｂｅｒｓ", "members", "tables/members.html"),
    ("card number pan", "pan", "#pan"),
])  # fmt: skip
def test_search_finds_a_column_by_keyboard_alone(tab: Page, typed: str, first: str, page: str) -> None:
    """A name, part of it, in wide letters, or its class; Enter opens the first result."""
    tab.says("document.getElementById('find').focus()")
    tab.type(typed)
    assert found(tab)[0].startswith(first)
    tab.leaves(lambda: tab.press("Enter"))
    assert page in tab.says("location.href")


def test_search_says_that_there_is_nothing(tab: Page) -> None:
    """A word that nothing has is answered; Escape closes the list."""
    tab.says("document.getElementById('find').focus()")
    tab.type("no_such_thing")
    assert found(tab) == ["Nothing has that name."]
    tab.press("Escape")
    assert tab.says("document.getElementById('found').hidden")


def test_everything_is_reached_by_tab(tab: Page) -> None:
    """The first stop skips to the content, and each stop on the way is visible where it is."""
    stops = []
    for _ in range(12):
        tab.press("Tab")
        stops.append(tab.says("document.activeElement.textContent.trim().slice(0, 40) || document.activeElement.id"))
    assert stops[0] == "Skip to the content"
    assert {"Catalog", "Runs", "Evidence", "Dashboards", "find"} <= set(stops)
    assert tab.says("getComputedStyle(document.activeElement).outlineStyle") == "solid"


def test_charts_are_drawn(tab: Page, written: Path) -> None:
    """Each chart has a size and marks in colors of the page; the dark page has others."""
    tab.open((written / "dashboards.html").as_uri())
    script = """JSON.stringify([...document.querySelectorAll('svg.chart')].map(one => {
      const marks = [...one.querySelectorAll('rect, path.line, circle')];
      return [one.getBoundingClientRect().height, marks.length, getComputedStyle(marks.at(-1)).fill];
    }))"""
    light: list[Any] = json.loads(tab.says(script))
    assert len(light) >= 7
    assert all(height > 40 and marks >= 3 and color.startswith("rgb(") for height, marks, color in light)
    tab.prefer("dark")
    dark: list[Any] = json.loads(tab.says(script))
    assert all(one[2] != other[2] for one, other in zip(light, dark, strict=True))


def test_the_language_switch_stays_on_the_page(tab: Page, written: Path) -> None:
    """Each page leads to itself in the other language, and back."""
    tab.open((written / "tables" / "cards.html").as_uri())
    tab.leaves(lambda: tab.says("document.querySelector('.tongue').click()"))
    assert tab.says("location.pathname").endswith("/ja/tables/cards.html")
    assert tab.says("document.documentElement.lang") == "ja"
    tab.leaves(lambda: tab.says("document.querySelector('.tongue').click()"))
    assert tab.says("location.pathname").endswith("/tables/cards.html")


def test_evidence_prints_in_black_and_white(tab: Page, written: Path) -> None:
    """Printed, the page is black on white in any scheme, without navigation, with every column's fate open."""
    tab.prefer("dark", "print")
    tab.open((written / "evidence.html").as_uri())
    colors = """JSON.stringify([...new Set([...document.querySelectorAll('main *')].filter(one => one.offsetParent)
      .map(one => getComputedStyle(one).color))])"""
    gray = [re.findall(r"\d+", color) for color in json.loads(tab.says(colors))]
    assert all(len(set(parts[:3])) == 1 and int(parts[0]) <= 0x33 for parts in gray)
    assert tab.says("getComputedStyle(document.querySelector('.bar nav')).display") == "none"
    printed = tab.printed()
    assert printed.startswith(b"%PDF")
    assert len(re.findall(rb"/Type\s*/Page\b", printed)) >= 8
