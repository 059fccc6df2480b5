"""Leaks in staged files: values that look like what they must not, and card tokens that pass Luhn."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

import pyarrow as pa

from expectations.checks import Check, CheckResult
from masking.card_numbers import count_valid_cards
from masking.leaks import Allowed, OwnIins, find_leaks
from masking.plan import MaskPlan
from masking.strategies import Fpe


@dataclass(frozen=True)
class LeakRule:
    """What staged columns may look like.

    Attributes:
        allowed: column → what its contract lets it hold; other columns may hold nothing that looks like a leak.
        own_iins: the issuer's own, which nothing allows.
        cards: columns of card tokens, none of which may pass Luhn.
    """

    allowed: Mapping[str, Allowed] = field(default_factory=dict)
    own_iins: OwnIins = ()
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
    return LeakRule(plan.allowed, plan.own_iins, tuple(cards))


def leaks_in(batch: pa.RecordBatch, rule: LeakRule) -> LeaksSeen:
    """Returns the leaks of one batch."""
    leaks: Counter[str] = Counter()
    for leak in find_leaks(batch, rule.allowed, rule.own_iins):
        leaks[leak.column] += leak.count
    return LeaksSeen(leaks, Counter({name: count_valid_cards(batch.column(name)) for name in rule.cards}))


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
