"""Whatever a check expects is said in both languages, with its columns, bounds and codes, and with nothing else."""

from __future__ import annotations

import json
from typing import Any

import pytest

from etl.audit.table_checks import checks_of
from etl.reports.facts.expected import OWN, expected
from etl.reports.words.wording import wording
from expectations.vocabulary import TABLE, expectation_names
from schemas.contract_file import load_contracts
from schemas.words import Language

VOCABULARY: dict[str, Any] = json.loads(TABLE.read_text(encoding="utf-8"))["expectations"]
OWN_ARGUMENTS = {"column": "a", "in": "cards.card_id", "least": 3, "hours": 24.0, "rows": 0.5, "nulls": 0.1}


def told(name: str, arguments: dict[str, Any] | None, language: Language = "en") -> str:
    """Returns what a check expects in a language."""
    return " ".join(wording(language).say(one) for one in expected(name, arguments))


@pytest.mark.parametrize("name", expectation_names())
def test_every_expectation_has_words(name: str) -> None:
    """A check of each core expectation with nothing but its required arguments can be said, by sentences of its own."""
    required = {key: f"<{key}>" for key, one in VOCABULARY[name]["arguments"].items() if one.get("required")}
    english, japanese = told(name, required), told(name, required, "ja")
    assert english != japanese
    assert name not in english
    columns = {"column_A", "column_B"} & set(required) or {"column_list"} & set(required) or {"column"} & set(required)
    assert all(f"<{one}>" in said for one in columns for said in (english, japanese))


@pytest.mark.parametrize("name", sorted(OWN))
def test_every_comparison_of_ours_has_words(name: str) -> None:
    """What the audit compares itself is said as well."""
    assert name not in told(name, OWN_ARGUMENTS)
    assert told(name, OWN_ARGUMENTS) != told(name, OWN_ARGUMENTS, "ja")


@pytest.mark.parametrize("table", sorted(load_contracts()))
def test_checks_of_bundled_tables_are_said_whole(table: str) -> None:
    """Each check of each bundled table is a sentence without a gap."""
    for check in checks_of(load_contracts()[table], 7):
        said = told(check.expect, json.loads(check.arguments))
        assert "–" not in said, said
        assert "  " not in said, said
        assert check.expect not in said, said


@pytest.mark.parametrize(("name", "arguments", "says"), [
    ("expect_column_values_to_be_between", {"column": "amount", "min_value": 0, "max_value": 1000, "strict_min": True},
     "amount is > 0, ≤ 1,000."),
    ("expect_column_values_to_not_be_null", {"column": "club", "mostly": 0.7},
     "club is never NULL. At least 70 % of the rows have to fit."),
    ("expect_column_values_to_be_in_set", {"column": "n", "value_set": [*range(20)], "row_condition": "a > 1"},
     "n is one of: 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11 … (+8). Only rows are looked at where a > 1."),
    ("expect_column_values_to_match_regex", {"column": "code"}, "code matches –"),
    ("staged_values_hold_no_leak", {},
     "No value in any column looks like a card number, a My Number or an address of a person."),
    ("load_nulls_within_band", {"column": "club", "nulls": 0.1},
     "The share of NULL in club is within 10 % of earlier loads."),
    ("expect_table_row_count_to_equal", None, "expect_table_row_count_to_equal holds."),
    ("expect_the_unexpected", {"column": "a"}, "expect_the_unexpected holds."),
])  # fmt: skip
def test_a_check_is_said_with_what_it_is_given(name: str, arguments: dict[str, Any] | None, says: str) -> None:
    """Bounds, shares, codes and conditions stand in the sentence; of a row without arguments only the name is known."""
    assert told(name, arguments) == says


def test_words_cannot_be_made_to_read_other_values() -> None:
    """Braces and percent signs of a suite are text."""
    assert told("expect_column_values_to_match_regex", {"column": "{name}", "regex": "{0}%s{column}"}).startswith(
        "{name}"
    )
