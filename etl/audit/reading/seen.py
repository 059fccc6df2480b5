"""What workers look for in staged files, and what they tell: counts and bounds, which add up over files."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, cast

import pyarrow as pa

from etl.audit.reading.declared_numbers import Shares, declared_rates
from etl.audit.reading.footers import Footers
from etl.audit.reading.leaks import LeakRule, LeaksSeen, leak_rule
from etl.stage import Staged
from expectations.measures import Answer, Measure, Unique
from expectations.measures.counting import Counted, added, answered


@dataclass(frozen=True)
class Rules:
    """What to look for in a table's staged files.

    Attributes:
        schema: which every file must have, columns in order.
        leaks: what the files' columns may look like.
        newest_by: the column whose newest instant is wanted; one that statistics are kept of.
        declared: columns of declared numbers.
        counted: measures that are counted batch by batch.
        unique: what may not be there twice.
    """

    schema: pa.Schema
    leaks: LeakRule
    newest_by: str | None = None
    declared: tuple[str, ...] = ()
    counted: tuple[Counted, ...] = ()
    unique: tuple[Unique, ...] = ()


def rules_of(staged: Staged, newest_by: str | None = None, measures: Iterable[Measure] = ()) -> Rules:
    """Returns what to look for in staged files; a measure that is named twice is counted once."""
    plan, every = staged.plan, tuple(dict.fromkeys(measures))
    return Rules(
        schema=plan.output_schema,
        leaks=leak_rule(plan.mask),
        newest_by=newest_by,
        declared=tuple(declared_rates(plan.contract)),
        counted=tuple(cast("Counted", one) for one in every if not isinstance(one, Unique)),
        unique=tuple(one for one in every if isinstance(one, Unique)),
    )


@dataclass(frozen=True)
class Seen:
    """What was seen in files; values only of those whose schema is right.

    Attributes:
        footers: what the files say of themselves.
        leaks: values that look like what they must not.
        declared: shares that pass Luhn, of groups of rows.
        tallies: of the counted measures, in their order; None where nothing was looked at.
        repeats: numbers of the `unique` rules of which a hash came twice.
    """

    footers: Footers = field(default_factory=Footers)
    leaks: LeaksSeen = field(default_factory=LeaksSeen)
    declared: tuple[Shares, ...] = ()
    tallies: tuple[Any, ...] | None = None  # Any: each measure has its own tally
    repeats: frozenset[int] = frozenset()

    def __add__(self, other: Seen) -> Seen:
        return Seen(
            self.footers + other.footers,
            self.leaks + other.leaks,
            self.declared + other.declared,
            _both(self.tallies, other.tallies),
            self.repeats | other.repeats,
        )

    def answers(self, rules: Rules) -> Mapping[Measure, Answer]:
        """Returns the answer of each measure that was counted."""
        tallies = self.tallies or (None,) * len(rules.counted)
        answers: dict[Measure, Answer] = {
            measure: answered(measure, tally) for measure, tally in zip(rules.counted, tallies, strict=True)
        }
        return answers | {one: one.answer(number in self.repeats) for number, one in enumerate(rules.unique)}


def _both(one: tuple[Any, ...] | None, other: tuple[Any, ...] | None) -> tuple[Any, ...] | None:
    if one is None or other is None:
        return one or other
    return tuple(added(mine, theirs) for mine, theirs in zip(one, other, strict=True))
