"""What a check of an audit expects, as sentences for people who know neither Great Expectations nor its suites."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Final

from etl.reports.facts.said import Said, said
from expectations.vocabulary import arguments as arguments_of

Arguments = Mapping[str, object]

OWN: Final = frozenset(
    {
        "card_tokens_fail_luhn", "declared_numbers_are_no_cards", "load_is_not_emptied", "load_nulls_within_band",
        "load_rows_within_band", "newest_row_is_fresh", "staged_files_equal_manifest", "staged_rows_equal_manifest",
        "staged_schema_equals_contract", "staged_values_hold_no_leak", "sum_equals_source",
        "tokens_found_in_joined_table",
    }
)  # fmt: skip
"""Comparisons that the audit makes itself."""
_MAY_LACK: Final = ("regex", "type_list", "column_list", "column_set", "min_value", "max_value")
"""Arguments that a sentence has a place for and that need not be given."""
_SHARES: Final = ("mostly", "nulls", "rows")
_SHOWN, _LONGEST = 12, 200


def expected(expectation: str, arguments: Arguments | None) -> tuple[Said, ...]:
    """Returns what is expected, in one sentence or, where only some rows or not all need to fit, in several.

    Args:
        expectation: its name.
        arguments: as the ledger has them; None in rows of earlier versions, of which the name is all that is known.
    """
    if arguments is None or not (expectation in OWN or arguments_of(expectation) is not None):
        return (said("check.by_name", name=expectation),)
    return tuple(_sentences(expectation, arguments))


def _sentences(expectation: str, arguments: Arguments) -> Iterator[Said]:
    shown = {name: _shown(arguments.get(name)) for name in (*arguments, *_needed(expectation))}
    shown |= {name: _percent(arguments[name]) for name in _SHARES if name in arguments}
    shown |= {"bounds": _bounds(arguments), "sign": "≥" if arguments.get("or_equal") else ">"}
    variant = "_nowhere" if expectation == "staged_values_hold_no_leak" and "column" not in arguments else ""
    yield Said(f"check.{expectation}{variant}", shown)
    mostly = arguments.get("mostly")
    if isinstance(mostly, int | float) and mostly < 1:
        yield said("check.mostly", share=_percent(mostly))
    if arguments.get("row_condition"):
        yield said("check.where", condition=shown["row_condition"])


@cache
def _needed(expectation: str) -> tuple[str, ...]:
    return tuple(name for name in _MAY_LACK if name in (arguments_of(expectation) or ()))


def _bounds(arguments: Arguments) -> str:
    """Returns the smallest and the largest that is expected, in signs that every language reads."""
    signs = (("min_value", ">" if arguments.get("strict_min") else "≥"),
             ("max_value", "<" if arguments.get("strict_max") else "≤"))  # fmt: skip
    return ", ".join(f"{sign} {_shown(arguments[name])}" for name, sign in signs if arguments.get(name) is not None)


def _percent(share: object) -> str:
    return f"{100 * share:g} %" if isinstance(share, int | float) else str(share)


def _shown(value: object) -> str:
    """Returns an argument as people read it; of long lists the first values."""
    if isinstance(value, list):
        more = f" … (+{len(value) - _SHOWN})" if len(value) > _SHOWN else ""
        return ", ".join(one if isinstance(one, str) else json.dumps(one) for one in value[:_SHOWN]) + more
    if isinstance(value, int | float) and not isinstance(value, bool):
        return f"{value:,}"
    text = "–" if value is None else value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"
