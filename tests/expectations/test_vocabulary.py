"""The table of the vocabulary and Great Expectations come to the same verdict; where the table cannot say, it asks."""

from __future__ import annotations

import math
from collections.abc import Iterator
from itertools import product
from pathlib import Path

import pytest

from expectations.build import KINDS, argument_problems, taken
from expectations.checks import Check
from expectations.suite import BUNDLED, Suite
from expectations.vocabulary import arguments, expectation_names, vouched
from schemas.yaml_file import read_yaml

RIGHT = {
    "base_query": "select 1", "column": "status", "column_A": "status", "column_B": "amount",
    "column_list": ["status", "amount"], "comparison_data_source_name": "other", "comparison_query": "select 1",
    "double_sided": True, "json_schema": {"type": "object"}, "like_pattern": "a%", "like_pattern_list": ["a%", "b%"],
    "min_value": 1, "other_table_name": "other", "quantile_ranges": {"quantiles": [0.5], "value_ranges": [[0, 1]]},
    "regex": "^a", "regex_list": ["^a", "^b"], "strftime_format": "%Y", "sum_total": 1, "threshold": 2, "type_": "INT",
    "value": 1, "value_pairs_set": [["a", "b"]], "value_set": ["a", "b"],
}  # fmt: skip
"""A value for each argument without which some expectation cannot be built."""
VALUES = (
    None, True, False, 0, 1, -1, 3, 2**53, 2**60, 10**400, 0.0, 0.5, 1.0, 1.5, -0.5, math.nan, math.inf, -math.inf, "",
    " ", "a", "ab", "1", "true", "2023-08-31", "either_value_is_missing", "all_values_are_missing", "never", "any",
    "iqr", "spark", "pandas", "great_expectations", 'col("amount") > 3', "amount > 3", "[", "%", [], ["a"], ["a", "b"],
    [""], [1], [1, 2.5], [1, "a"], [None], [True, "a"], [["a", "b"]], [["a"]], [{}], {}, {"a": 1}, {"$PARAMETER": "x"},
    {"quantiles": [0.5]},
)  # fmt: skip
"""What YAML can write, right for some argument and wrong for others."""
ASKED = {
    "expect_column_pair_values_to_be_in_set", "expect_column_quantile_values_to_be_between",
    "expect_column_values_to_match_json_schema", "expect_column_values_to_match_strftime_format",
}  # fmt: skip
"""Expectations of which the library must be asked, because they look inside a value."""
LIMITS = (None, 0, 1, 2, 0.5, 2.5, -1, "a")


def right(expect: str) -> dict[str, object]:
    """Returns arguments that an expectation takes."""
    return {name: value for name, value in RIGHT.items() if name in (arguments(expect) or ())}


def variants(expect: str) -> Iterator[dict[str, object]]:
    """Yields the right arguments with each one left out, replaced by every value, and limits in every pair."""
    base = right(expect)
    yield base
    yield from ({name: value for name, value in base.items() if name != left_out} for left_out in base)
    known = arguments(expect) or frozenset()
    yield from ({**base, name: value} for name, value in product(sorted(known), VALUES))
    if {"min_value", "max_value"} <= known:
        yield from ({**base, "min_value": low, "max_value": high} for low, high in product(LIMITS, repeat=2))
    if "row_condition" in known:
        for condition, parser in product(("", "amount > 3", 'col("amount") > 3', "col("), ("spark", "pandas", None)):
            yield {**base, "row_condition": condition, "condition_parser": parser}


def test_the_table_names_what_there_is() -> None:
    """Expectations and arguments are those of the installed library."""
    assert set(expectation_names()) == set(KINDS)
    assert {name: arguments(name) for name in KINDS} == {name: taken(kind) for name, kind in KINDS.items()}


@pytest.mark.parametrize("expect", sorted(KINDS))
def test_what_the_table_vouches_for_can_be_built(expect: str) -> None:
    """Great Expectations takes every check that the table vouches for; wrong ones are among those that it is asked."""
    checks = [Check(expect, given) for given in variants(expect)]
    assert [check.kwargs for check in checks if vouched(check) and argument_problems(check)] == []
    assert any(argument_problems(check) for check in checks)


@pytest.mark.parametrize("expect", sorted(KINDS))
def test_what_is_right_needs_no_library(expect: str) -> None:
    """The table vouches for the plain form of every expectation, except where the library looks inside a value."""
    check = Check(expect, right(expect))
    assert argument_problems(check) == ()
    assert vouched(check) is (expect not in ASKED)


@pytest.mark.parametrize("path", sorted(BUNDLED.glob("*.yaml")), ids=lambda path: path.stem)
def test_bundled_suites_need_no_library(path: Path) -> None:
    """The table vouches for every expectation of the suites that ship with the package."""
    assert [check for check in Suite.model_validate(read_yaml(path)).checks if not vouched(check)] == []


def test_the_table_is_strict() -> None:
    """It vouches for no strange name, no argument that is missing or unknown, and nothing beyond a bound."""
    between = "expect_column_values_to_be_between"
    for expect, given in (
        ("expect_column_values_to_be_betwixt", {"column": "amount", "min_value": 1}),
        (between, {"min_value": 1}),
        (between, {"column": "amount"}),
        (between, {"column": "amount", "min_value": 1, "low": 0}),
        (between, {"column": "amount", "min_value": 1, "mostly": 1.1}),
        (between, {"column": "amount", "min_value": 1, "strict_min": "yes"}),
        ("expect_table_row_count_to_be_between", {"min_value": 2, "max_value": 1}),
        ("expect_compound_columns_to_be_unique", {"column_list": ["amount"]}),
        ("expect_column_values_to_match_regex_list", {"column": "status", "regex_list": []}),
    ):
        assert not vouched(Check(expect, given)), (expect, given)
