"""Charts say what the numbers say."""

from __future__ import annotations

import re

import pytest

from etl.reports.facts.catalog import JoinFacts
from etl.site.charts.bars import bars, heat
from etl.site.charts.columns import columns, lines
from etl.site.charts.diagram import diagram
from etl.site.charts.scale import Scale, full, short
from etl.site.charts.spark import spark


@pytest.mark.parametrize(
    ("highest", "top", "marks"), [(7, 8, 5), (1, 1, 5), (0.037, 0.04, 5), (1234, 1500, 4), (0, 1, 5)]
)
def test_a_scale_holds_its_values_in_round_marks(highest: float, top: float, marks: int) -> None:
    """The highest mark is a round number that is not below the highest value."""
    scale = Scale.of(highest, 100, 0)
    assert scale.top == pytest.approx(top)
    assert scale.top >= highest
    assert len(scale.marks) == marks
    assert (scale.at(0), scale.at(scale.top)) == (100, 0)


def heights(svg: str) -> list[float]:
    """Returns the heights of a chart's boxes."""
    return [float(high) for high in re.findall(r'height="([\d.]+)" class="c\d"', svg)]


def test_columns_are_as_high_as_their_values() -> None:
    """Twice the value is twice the height; stacked parts stand on each other; the table has the same numbers."""
    chart = columns("Rows", "day", {("08-30", "a"): 10.0, ("08-30", "b"): 20.0, ("08-31", "a"): 5.0})
    first, second, third = heights(chart.svg)
    assert second == pytest.approx(2 * first, abs=0.02)
    assert third == pytest.approx(first / 2, abs=0.02)
    assert chart.rows == (("08-30", "10", "20"), ("08-31", "5", "–"))
    assert chart.head == ("day", "a", "b")
    assert chart.series == ("a", "b")


def test_nothing_is_drawn_of_nothing() -> None:
    """A chart without values is empty."""
    assert columns("Rows", "day", {}).svg == bars("Rows", ("a", "b"), {}).svg == heat("Rows", "day", {}).svg == ""


def test_a_line_has_a_point_for_each_value() -> None:
    """A missing value leaves out its point only."""
    chart = lines("Rates", "month", {("01", "a"): 0.5, ("02", "b"): 0.25, ("03", "a"): 1.0}, percent=True)
    assert chart.svg.count("<circle") == 3
    assert chart.rows[1] == ("02", "–", "25.0 %")


def test_a_funnel_says_what_share_goes_on() -> None:
    """Each step after the first has its share of the step before."""
    chart = bars("Funnel", ("step", "rows"), {"applied": 200.0, "issued": 50.0}, funnel=True)
    assert "50 · 25 %" in chart.svg
    assert chart.rows == (("applied", "200"), ("issued", "50"))


def test_a_heat_map_is_darkest_where_most_is() -> None:
    """The largest value has the last shade, and a missing one no square."""
    chart = heat("Churn", "month", {("01", "20-29"): 0.1, ("02", "30-39"): 0.5}, percent=True)
    assert re.findall(r'class="h(\d)"', chart.svg) == ["2", "5"]


def test_names_are_escaped() -> None:
    """A name of a group is text, whatever is in it."""
    assert "<b>" not in bars("x", ("a", "b"), {"<b>&": 1.0}).svg
    assert "&lt;b&gt;&amp;" in bars("x", ("a", "b"), {"<b>&": 1.0}).svg


def test_a_small_line_has_a_band_once_there_are_quartiles() -> None:
    """Four values and more show their middle half."""
    assert 'class="band"' not in spark("rows", [1, 2, 3])
    assert 'class="band"' in spark("rows", [1, 2, 3, 4])


def test_the_diagram_has_every_table_and_every_join() -> None:
    """Each table is a link to its page, each join a curve that says its columns; a circle of joins ends."""
    joins = [
        JoinFacts("cards", "member_id", "members", "member_id", ""),
        JoinFacts("members", "card_id", "cards", "card_id", ""),
        JoinFacts("members", "referrer", "members", "member_id", ""),
    ]
    drawn = diagram("Joins", joins, lambda table: f"tables/{table}.html")
    assert set(re.findall(r'href="([^"]+)"', drawn)) == {"tables/cards.html", "tables/members.html"}
    assert drawn.count('class="join"') == 2
    assert "cards.member_id = members.member_id" in drawn
    assert diagram("Joins", [], str) == ""


def test_numbers_are_short_on_axes_and_full_in_tables() -> None:
    """1,234,567 is 1.23M on an axis."""
    assert [short(one) for one in (1_234_567, 950, 0.25, 2e12)] == ["1.23M", "950", "0.25", "2T"]
    assert [full(one) for one in (1_234_567.0, 0.256, None)] == ["1,234,567", "0.26", "–"]
