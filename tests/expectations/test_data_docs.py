"""Data Docs: Great Expectations' page, readable without a network, with counts and without a value."""

from __future__ import annotations

import re

from expectations.checks import Check, CheckResult
from expectations.data_docs import index_page, table_page

IN_SET = Check("expect_column_values_to_be_in_set", {"column": "status", "value_set": ["open"]}, origin="suite")
ORPHANS = Check("tokens_found_in_joined_table", {"column": "card_id", "in": "cards.card_id"}, "warning", "join")
RESULTS = (
    CheckResult(Check("expect_table_row_count_to_equal", {"value": 1234}, origin="reconciliation"), passed=True),
    CheckResult(IN_SET, passed=False, failed=17, checked=1234),
    CheckResult(ORPHANS, passed=False, failed=29, checked=1230),
)


def page() -> str:
    """Returns the page of a table with one failure of each kind."""
    return table_page("payments", "20230830-run", RESULTS, 1234, "2023-08-31T01:00:00+00:00")


def test_nothing_is_asked_from_elsewhere() -> None:
    """The page names no script, style sheet, picture or address of another site: it is readable from a disk."""
    html = page() + index_page("20230830-run", [("payments", 1, 3, True)])
    assert not re.search(r"<script|<link|<img|<iframe|@import|url\(\s*['\"]?http|(?:href|src)\s*=\s*['\"]https?:", html)
    assert "<style>" in html


def test_it_tells_what_failed_and_how_often() -> None:
    """Great Expectations' own words and the comparisons stand there with their counts."""
    text = re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page()))
    assert "17 unexpected values found" in text
    assert "1.378% of 1234 total rows" in text or "of 1234 total rows" in text
    assert "tokens_found_in_joined_table(card_id) warning 29 of 1230" in text
    assert "Failed" in text


def test_the_leading_page_leads_to_the_tables() -> None:
    """The index says of each table how many checks passed and whether it was stopped."""
    html = index_page("20230830-run", [("cards", 3, 3, False), ("payments", 1, 3, True)])
    assert 'href="cards.html"' in html
    assert re.search(r"payments.html.*1 of 3.*stopped", html)
