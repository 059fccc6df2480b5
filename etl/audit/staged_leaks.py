"""Looks for leaks in staged bytes as the gate did before they were written, and at what card tokens must never be.

Whoever replaced a staged file after the gate had let its rows pass is met here.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

import pyarrow as pa
import pyarrow.parquet as pq

from expectations.checks import Check, CheckResult
from masking.card_numbers import count_valid_cards
from masking.leaks import LeakKind, find_leaks, scannable
from masking.plan import MaskPlan
from masking.strategies import Fpe


@dataclass(frozen=True)
class LeakRule:
    """What staged columns may look like.

    Attributes:
        allowed: column → kinds that its contract lets it look like; other columns may look like none.
        cards: columns of card tokens, none of which may pass Luhn.
    """

    allowed: Mapping[str, frozenset[LeakKind]] = field(default_factory=dict)
    cards: tuple[str, ...] = ()


@dataclass(frozen=True)
class LeaksSeen:
    """How many values of a column look like what they must not, and how many card tokens pass Luhn."""

    leaks: Counter[str] = field(default_factory=Counter)
    valid_cards: Counter[str] = field(default_factory=Counter)

    def __add__(self, other: LeaksSeen) -> LeaksSeen:
        return LeaksSeen(self.leaks + other.leaks, self.valid_cards + other.valid_cards)


def leak_rule(plan: MaskPlan) -> LeakRule:
    """Returns the rule of a table's masks: the gate's own, and its columns of card tokens."""
    rules = [rule for rule in plan.rules if rule.name in plan.output_schema.names]
    cards = [rule.name for rule in rules if isinstance(rule.strategy, Fpe) and rule.strategy.format == "pan"]
    return LeakRule({rule.name: rule.allowed_leaks for rule in rules}, tuple(cards))


def leaks_in(file: pq.ParquetFile, rule: LeakRule) -> LeaksSeen:
    """Counts the leaks of one staged file, of which memory holds one batch at a time."""
    seen = LeaksSeen()
    columns = [one.name for one in file.schema_arrow if scannable(one.type)]
    for batch in file.iter_batches(columns=columns) if columns else ():
        for leak in find_leaks(batch, rule.allowed):
            seen.leaks[leak.column] += leak.count
        for name in set(rule.cards).intersection(columns):
            seen.valid_cards[name] += count_valid_cards(batch.column(name))
    return seen


def leak_results(seen: LeaksSeen, rule: LeakRule, schema: pa.Schema, rows: int) -> list[CheckResult]:
    """No staged value looks like a card number or a person, and every card token fails Luhn."""
    found = [
        CheckResult(_check("staged_values_hold_no_leak", name), passed=False, failed=seen.leaks[name], checked=rows)
        for name in schema.names
        if seen.leaks[name]
    ]
    cards = [
        CheckResult(
            _check("card_tokens_fail_luhn", name),
            passed=not seen.valid_cards[name],
            failed=seen.valid_cards[name],
            checked=rows,
        )
        for name in rule.cards
    ]
    nothing = [CheckResult(_check("staged_values_hold_no_leak"), passed=True, failed=0, checked=rows)]
    return [*(found or nothing), *cards]


def _check(name: str, column: str = "") -> Check:
    return Check(name, {"column": column} if column else {}, origin="reconciliation")
