"""Finds new columns that look like missing ones under another name."""

from __future__ import annotations

from collections.abc import Sequence
from difflib import SequenceMatcher
from typing import Final

from etl.plan.drift.types import holds
from etl.source import SourceColumn, SourceTable
from masking.policy import ColumnClass
from schemas.contract import Contract
from schemas.guess import guess
from schemas.types import EngineName

_ALIKE: Final = 0.6
"""The likeness of names (difflib's ratio) from which a missing column and a new one may be the same."""


def renames(contract: Contract, source: SourceTable, engine: EngineName) -> dict[str, SourceColumn]:
    """Returns, by missing column, a new one of the same type that has a similar name or the same place in the table."""
    present = [column.name for column in source.columns]
    gone = [name for name in contract.columns if name not in present]
    news = [column for column in source.columns if column.name not in contract.columns]
    ranked = sorted(
        (
            (likeness, name, column)
            for name in gone
            for column in news
            if holds(column, contract.columns[name].type, engine)
            and (likeness := _likeness(contract, present, name, column)) >= _ALIKE
            and not _promises_more(contract, name, column)
        ),
        key=lambda one: -one[0],
    )
    pairs: dict[str, SourceColumn] = {}
    for _, name, column in ranked:
        if name not in pairs and column not in pairs.values():
            pairs[name] = column
    return pairs


def _likeness(contract: Contract, present: Sequence[str], gone: str, new: SourceColumn) -> float:
    named = list(contract.columns)
    place, other = named.index(gone), present.index(new.name)
    before = named[place - 1] if place else None, present[other - 1] if other else None
    after = (
        named[place + 1] if place + 1 < len(named) else None,
        present[other + 1] if other + 1 < len(present) else None,
    )
    if before[0] == before[1] and after[0] == after[1]:
        return 1.0
    return SequenceMatcher(None, gone, new.name).ratio()


def _promises_more(contract: Contract, gone: str, new: SourceColumn) -> bool:
    """Returns whether the new name promises what the old column did not hold, so that its mask would not fit."""
    old = contract.columns[gone]
    guessed = guess(new.name, old.type, enum=new.type == "enum", length=new.length, table=contract.table)
    other = guessed.column_class != old.column_class or guessed.column_class is ColumnClass.NONE  # pay has no class
    return bool(guessed.word) and other and not old.dropped
