"""Suites are judged before anything runs: what does not exist is named, with what was meant, at its place."""

from __future__ import annotations

from pathlib import Path

import pytest

from etl.authoring.suite_findings import suite_findings
from expectations.suite import BUNDLED as SUITES
from expectations.suite_lint import suite_problems
from expectations.vocabulary import arguments
from schemas.contract_file import BUNDLED

PUBLISHED = ("status", "amount", "at")
IN_SET = "expect_column_values_to_be_in_set"


@pytest.mark.parametrize(
    ("expectation", "keys", "said"),
    [
        (
            {"expect": IN_SET, "kwargs": {"column": "status", "value_set": ["4111111111111111"]}},
            ("kwargs",),
            "an argument holds what looks like a card number",
        ),
        (
            {
                "expect": IN_SET,
                "kwargs": {"column": "status", "value_set": [1], "row_condition": "amount > 4111111111111111"},
            },
            ("kwargs",),
            "an argument holds what looks like a card number",
        ),
        ({"expect": "expect_column_values_to_be_in_sets"}, ("expect",), f"did you mean {IN_SET}?"),
        (
            {"expect": IN_SET, "kwargs": {"column": "status", "value_sett": [1]}},
            ("kwargs", "value_sett"),
            "takes no value_sett; did you mean value_set?",
        ),
        ({"expect": IN_SET, "kwargs": {"column": "stat", "value_set": [1]}}, ("kwargs", "column"), "column stat"),
        (
            {"expect": "expect_column_values_to_not_be_null", "kwargs": {"column": "status", "mostly": 2}},
            ("kwargs", "mostly"),
            "does not take mostly as it is",
        ),
        (
            {"expect": "expect_compound_columns_to_be_unique", "kwargs": {"column_list": ["status", "nope"]}},
            ("kwargs", "column_list"),
            "column nope",
        ),
        (
            {"expect": IN_SET, "kwargs": {"column": "status", "value_set": [1], "row_condition": "amuont > 3"}},
            ("kwargs", "row_condition"),
            "column amuont",
        ),
        (
            {
                "expect": IN_SET,
                "kwargs": {"column": "status", "value_set": [1], "row_condition": "raise_error (at)"},
            },
            ("kwargs", "row_condition"),
            "calls raise_error, which may fail on a value and quote it",
        ),
        (
            {
                "expect": IN_SET,
                "kwargs": {
                    "column": "status",
                    "value_set": [1],
                    "row_condition": 'col("amuont") > 3',
                    "condition_parser": "great_expectations",
                },
            },
            ("kwargs", "row_condition"),
            "column amuont",
        ),
    ],
)
def test_what_does_not_exist_is_named(expectation: dict[str, object], keys: tuple[str, ...], said: str) -> None:
    """One mistake, one problem, at the key that has to be corrected."""
    (problem,) = suite_problems({"table": "t", "expectations": [expectation]}, "t", PUBLISHED)
    assert problem.keys == ("expectations", 0, *keys)
    assert said in problem.message


def test_conditions_in_sql_may_use_words_of_sql() -> None:
    """Key words, functions and quoted text in a row condition are no columns."""
    condition = "status = 'no such column' AND length(`status`) > 2 OR amount IS NOT NULL and at > date '2023-01-01'"
    kwargs = {"column": "status", "value_set": [1], "mostly": 0.9, "row_condition": condition}
    assert suite_problems({"table": "t", "expectations": [{"expect": IN_SET, "kwargs": kwargs}]}, "t", PUBLISHED) == ()


def test_comparisons_name_published_columns() -> None:
    """Freshness and joins name columns too; bands have limits; another table's suite is refused."""
    raw = {
        "table": "other",
        "freshness": {"column": "when"},
        "joins": {"leave_out": ["who"]},
    }
    assert [problem.keys for problem in suite_problems(raw, "t", PUBLISHED)] == [
        ("table",),
        ("freshness", "column"),
        ("joins", "leave_out", 0),
    ]
    (problem,) = suite_problems({"table": "t", "volume": {"rows": 3}}, "t", PUBLISHED)
    assert problem.keys == ("volume", "rows")


def test_a_suite_cannot_ask_for_values() -> None:
    """Result formats decide what of the rows comes into results; no suite may set one."""
    assert "result_format" not in (arguments(IN_SET) or ())


def test_findings_have_line_and_column(tmp_path: Path) -> None:
    """The linter places a suite's mistake as it places a contract's."""
    (tmp_path / "payments.yaml").write_text(
        "table: payments\nexpectations:\n"
        "  - expect: expect_column_values_to_not_be_null\n    kwargs: {column: status}\n"
        "  - expect: expect_column_values_to_be_in_set\n    kwargs: {column: nope, value_set: [a]}\n",
        encoding="utf-8",
    )
    (finding,) = suite_findings([BUNDLED / "payments.yaml"], tmp_path)
    assert (finding.path, finding.line, finding.column, finding.rule) == (
        str(tmp_path / "payments.yaml"),
        6,
        14,
        "KG101",
    )
    assert "column nope is not published" in finding.message


def test_bundled_suites_have_no_findings() -> None:
    """What ships with the package is right."""
    assert suite_findings([BUNDLED], SUITES) == ()
