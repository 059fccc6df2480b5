"""Staged files, looked at one by one: what they say of their own schema, rows and newest instant, and their leaks."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time

import pyarrow as pa
import pyarrow.parquet as pq

from etl.cloud.storage import StagingLocation
from etl.stage import worker_stage
from expectations.checks import Check, CheckResult
from masking.card_numbers import count_valid_cards
from masking.leaks import Allowed, OwnIins, find_leaks, scannable
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


def leaks_in(file: pq.ParquetFile, rule: LeakRule) -> LeaksSeen:
    """Counts the leaks of one staged file, of which memory holds one batch at a time."""
    seen = LeaksSeen()
    columns = [one.name for one in file.schema_arrow if scannable(one.type)]
    for batch in file.iter_batches(columns=columns) if columns else ():
        for leak in find_leaks(batch, rule.allowed, rule.own_iins):
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


@dataclass(frozen=True)
class Footers:
    """What the files themselves say.

    Attributes:
        wrong_schema: how many have other columns than planned.
        wrong_rows: how many have another row count than planned.
        newest: the newest instant of a column.
        leaks: what was found in the values of files whose schema is right.
    """

    wrong_schema: int = 0
    wrong_rows: int = 0
    newest: datetime | None = None
    leaks: LeaksSeen = field(default_factory=LeaksSeen)

    def __add__(self, other: Footers) -> Footers:
        instants = [one for one in (self.newest, other.newest) if one is not None]
        return Footers(
            self.wrong_schema + other.wrong_schema,
            self.wrong_rows + other.wrong_rows,
            max(instants, default=None),
            self.leaks + other.leaks,
        )


@dataclass(frozen=True)
class _FooterTask:
    target: StagingLocation
    files: tuple[tuple[str, int], ...]
    schema: pa.Schema
    newest_by: str | None
    rule: LeakRule


def _footers(task: _FooterTask) -> Footers:
    seen = Footers()
    for name, rows in task.files:
        with worker_stage(task.target).open(name) as stream, pq.ParquetFile(stream) as file:
            fits = file.schema_arrow.equals(task.schema)
            seen += Footers(
                wrong_schema=not fits,
                wrong_rows=file.metadata.num_rows != rows,
                newest=max(_newest(file, task.newest_by), default=None),
                leaks=leaks_in(file, task.rule) if fits else LeaksSeen(),
            )
    return seen


def _newest(file: pq.ParquetFile, column: str | None) -> Iterator[datetime]:
    if column is None or column not in file.schema_arrow.names:
        return
    number = file.schema_arrow.names.index(column)
    for group in range(file.metadata.num_row_groups):
        statistics = file.metadata.row_group(group).column(number).statistics
        if statistics is not None and statistics.has_min_max:
            yield as_instant(statistics.max)


def as_instant(value: datetime | date) -> datetime:
    """Returns the instant of a timestamp, or the one at which a business day ends in Japan (UTC)."""
    if isinstance(value, datetime):
        return value if value.tzinfo else value.replace(tzinfo=UTC)
    return datetime.combine(value, time(15), tzinfo=UTC)
