"""Proposes a contract for a table that has none: complete, valid, and dropping whatever is unclear."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

import yaml

from masking.policy import ColumnClass
from schemas.contract import Contract
from schemas.found import FoundColumn, FoundTable
from schemas.guess import Guess, guess
from schemas.key_masks import DROP, contract_of, kept, key_mask, namesake_mask
from schemas.loads import DELETED_AT
from schemas.patch import yaml_type
from schemas.reviewed import NAME
from schemas.types import ColumnType

LARGE: Final = 256 * 1024 * 1024
"""From so many bytes on, a table with a time that never changes is proposed to be loaded by days."""
_GRAVE: Final = frozenset({ColumnClass.SENSITIVE_AUTHENTICATION, ColumnClass.NATIONAL_ID})
"""What a name says that no sample outvotes."""
_INSTANTS: Final = frozenset({"date", "timestamp", "datetime"})
_CHANGED: Final = ("updated", "modified", "changed", "koshin")
"""Words of times that every change of a row moves forward."""
_MOVES: Final = (*_CHANGED, "last")
"""Words of times that move, and so cannot place a row in a day for good."""


@dataclass(frozen=True)
class _Line:
    name: str
    type: str
    column_class: ColumnClass
    mask: str
    not_null: bool
    why: str

    @property
    def published(self) -> bool:
        return self.mask != DROP

    @property
    def kept(self) -> bool:
        return "strategy: keep" in self.mask


def propose(table: FoundTable, name: str, known: Iterable[Contract] = ()) -> str:
    """Returns the YAML of a contract for a table; beside each column, why.

    What is clearly harmless is kept, keys and references become tokens of the domains that known contracts have, and
    everything else is dropped.

    Args:
        table: with at least one key column that may be published.
        name: the contract's table, which is also its name in BigQuery.
        known: contracts beside which it will stand.
    """
    contracts = list(known)
    lines = [_line(table, column, name, contracts) for column in table.columns]
    load, derive, reason = _load(table, lines)
    joins = dict(_joins(table, lines, contracts))
    sums = [one.name for one in lines if one.kept and one.type.startswith("numeric")]
    dataset = table.source.split(".")[0]
    head = [
        "# yaml-language-server: $schema=./contract.schema.json",
        "# Proposed from the source's catalogue. Read every line before you publish: a guess from a name is no review.",
        f"table: {name}",
        f"about: {_text(table.comment or f'One row for each row of {table.source}; say here what that is.')}",
        f"source: {_text(table.source)}",
        f"publish: {dataset if NAME.match(dataset) else 'source'}.{name}",
        f"load: {load}  # {reason}",
        f"key: [{', '.join(table.key)}]",
    ]
    if sums:
        head.append(f"reconcile: [{', '.join(sums)}]")
    if joins:
        head.append(f"joins: {{{', '.join(f'{column}: {target}' for column, target in joins.items())}}}")
    width = max(len(_key(one.name)) for one in lines) + 1
    body = [f"  {_key(one.name) + ':':<{width}} {_body(one)}{'  # ' if one.why else ''}{one.why}" for one in lines]
    tail = ["derive:", *(f"  {line}" for line in derive)] if derive else []
    return "\n".join([*head, "columns:", *body, *tail]) + "\n"


def _body(line: _Line) -> str:
    never = ", nullable: false" if line.not_null and line.published else ""
    return f"{{type: {yaml_type(line.type)}, class: {line.column_class}, mask: {line.mask}{never}}}"


def decide(
    table: FoundTable, column: FoundColumn, name: str, known: Sequence[Contract] = ()
) -> tuple[str, ColumnClass, Guess]:
    """Returns the mask and the class that are proposed for a column, and the guess behind them."""
    said = guess(column.name, column.type, enum=column.enum, length=column.length, comment=column.comment, table=name)
    found = _seen(said, column)
    if column.name in table.key or column.name in table.references:
        return *key_mask(table, column, name, found, known), found
    same = namesake_mask(column, found, known) if column.seen is None else None
    return *(same or (_mask(found, column), found.column_class)), found


def _line(table: FoundTable, column: FoundColumn, name: str, known: Sequence[Contract]) -> _Line:
    mask, column_class, found = decide(table, column, name, known)
    mask = mask if NAME.match(column.name) else DROP
    kind = str(column.type or ColumnType("string"))
    return _Line(column.name, kind, column_class, mask, column.not_null, _why(found, column, mask))


def _seen(found: Guess, column: FoundColumn) -> Guess:
    """Returns the guess after a look at values: nearly all of them outvote the name, and a few change nothing."""
    kind = column.type.name if column.type else "bytes"
    mixed = column.seen is ColumnClass.FREE_TEXT
    if column.seen is None or (mixed and kind in {"int64", "numeric"}):
        return found
    if kind == "json" or (found.word and (mixed or not column.sure or found.column_class in _GRAVE)):
        return replace(found, harmless="")  # a document holds more than what was recognized
    return replace(found, column_class=column.seen, harmless="")


def _mask(found: Guess, column: FoundColumn) -> str:
    """Returns the mask of a column that identifies no row: kept, or one of the few that leave nothing of a person."""
    if column.type is None:
        return DROP
    if found.harmless:
        return kept(found.harmless)
    if column.seen is None and column.type.name in _INSTANTS:
        to = {ColumnClass.BIRTH_DATE: "age_band", ColumnClass.CARD_EXPIRY: "year"}.get(found.column_class)
        return f"{{strategy: generalize_date, to: {to}}}" if to else DROP
    return DROP


def _why(found: Guess, column: FoundColumn, mask: str) -> str:
    if column.type is None:
        said = "no exact way to BigQuery"
    elif "strategy: keep" in mask:
        return column.note
    elif found.word:
        said = f"by its {found.source} ({found.word})"
    elif mask != DROP:
        said = "unclear, and it identifies rows"
    else:
        said = "unclear: dropped until somebody knows"
    if not NAME.match(column.name):
        said += "; to publish it, give it a Latin name by a view"
    return f"{said}; {column.note}" if column.note else said


def _joins(table: FoundTable, lines: Sequence[_Line], known: Sequence[Contract]) -> Iterator[tuple[str, str]]:
    published = {one.name for one in lines if one.published}
    for column, (source, key) in table.references.items():
        target = contract_of(known, source)
        if column in published and target and key in target.selected:
            yield column, f"{target.table}.{key}"


def _load(table: FoundTable, lines: Sequence[_Line]) -> tuple[str, list[str], str]:
    """Returns the load mode, the derived columns it needs, and why."""
    times = [one.name for one in lines if one.kept and one.type == "timestamp" and one.not_null]
    indexed = [name for name in times if name in table.indexed]
    days = [name for name in indexed if not any(word in name for word in _MOVES)]
    changes = [name for name in indexed if any(word in name for word in _CHANGED)]
    by = _day_name(days[0], {one.name for one in lines}) if days else ""
    derived = [f"{by}: {{type: date, from: {days[0]}, as: business_date}}"] if days else []
    if table.bytes < LARGE:
        return "{mode: full}", derived, "small enough to be read whole" if table.bytes else "its size is unknown"
    if days:
        return f"{{mode: partition, by: {by}, lookback_days: 2}}", derived, f"large, and {days[0]} is indexed"
    if changes:
        own = any(one.name == DELETED_AT for one in lines)  # the source marks its deleted rows itself
        deletes = "deletes: ignore" if own else "deletes: soft, reconcile_keys: 7"
        merge = f"{{mode: merge, watermark: {changes[0]}, {deletes}}}"
        return merge, [], f"large, and {changes[0]} is indexed: if every change moves it forward"
    return "{mode: full}", [], "large, and no time is indexed that could tell days or changes"


def _day_name(column: str, taken: set[str]) -> str:
    stem = column.removesuffix("_at").removesuffix("_time")
    names = (f"{stem}_on", f"{stem}_day", f"{column}_business_date")
    return next((name for name in names if name not in taken), f"{column}_day_in_japan")


def _key(name: str) -> str:
    """Returns a name as a YAML key: in quotes where YAML would read something else, as it does of `no` and `on`."""
    return name if NAME.match(name) and yaml.safe_load(name) == name else _quoted(name)


def _text(text: str) -> str:
    one_line = " ".join(text.split())
    plain = all(sign not in one_line for sign in ":#,{}[]&*!|>'\"%@`") and yaml.safe_load(one_line) == one_line
    return one_line if plain else _quoted(one_line)


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)  # a JSON string is a YAML string
