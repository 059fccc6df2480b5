"""Checks that follow from the contract: not-null, key uniqueness, token shape, value sets, row count."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from expectations.checks import Check


@dataclass(frozen=True)
class TableFacts:
    """What a contract promises about its published table.

    Attributes:
        key: columns that together identify a row, never NULL; empty where a table has none.
        not_null: further columns that may not be NULL.
        patterns: column → the regular expression that every non-null value matches.
        rows: how many rows the source counted in the same snapshot.
        values: column → the only values that it may hold.
    """

    key: tuple[str, ...]
    not_null: tuple[str, ...]
    patterns: Mapping[str, str]
    rows: int
    values: Mapping[str, tuple[object, ...]] = field(default_factory=dict)


def derived_checks(facts: TableFacts) -> tuple[Check, ...]:
    """Returns the checks that every table has, whatever its own suite says."""
    unique = [Check("expect_column_values_to_be_unique", {"column": name}) for name in facts.key]
    if len(facts.key) > 1:
        unique = [Check("expect_compound_columns_to_be_unique", {"column_list": list(facts.key)})]
    required = dict.fromkeys((*facts.key, *facts.not_null))
    return (
        Check("expect_table_row_count_to_equal", {"value": facts.rows}, origin="reconciliation"),
        *unique,
        *(Check("expect_column_values_to_not_be_null", {"column": column}) for column in required),
        *(
            Check("expect_column_values_to_match_regex", {"column": column, "regex": pattern})
            for column, pattern in facts.patterns.items()
        ),
        *(
            Check("expect_column_values_to_be_in_set", {"column": column, "value_set": list(values)})
            for column, values in facts.values.items()
        ),
    )
