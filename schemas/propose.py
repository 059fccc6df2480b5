"""Proposes a contract for a table that has none: complete, valid, and dropping whatever is unclear."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

from masking.policy import ColumnClass
from schemas.bigquery_limits import LONGEST_TABLE_DESCRIPTION
from schemas.contract import Contract
from schemas.found import FoundColumn, FoundTable
from schemas.guess import Guess, guess
from schemas.key_masks import DROP, contract_of, kept, key_mask, namesake_mask
from schemas.loads import DELETED_AT
from schemas.patch import yaml_type
from schemas.published_names import free_name, published_name
from schemas.types import ColumnType
from schemas.written import written_problems
from schemas.yaml_text import comment, yaml_name, yaml_names, yaml_text

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
    at_source: str
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
    names = _names(table)
    lines = [_line(table, column, names[column.name], name, contracts) for column in table.columns]
    load, derive, reason = _load(table, lines)
    joins = dict(_joins(table, lines, contracts))
    key = [one.name for part in table.key for one in lines if one.at_source == part]
    sums = [one.name for one in lines if one.kept and one.type.startswith("numeric")]
    schema = table.source.split(".")[0]
    dataset = published_name(schema)[:63] or "source"
    about = comment(table.comment) or f"One row for each row of {table.source}; say here what that is."
    if any(written_problems([about])):  # it would be published
        about = f"One row for each row of {table.source}; its comment holds what looks like a card number."
    long = len(about) > LONGEST_TABLE_DESCRIPTION
    shortened = "  # shortened: BigQuery takes 16,384 characters" if long else ""
    head = [
        "# yaml-language-server: $schema=./contract.schema.json",
        "# Proposed from the source's catalogue. Read every line before you publish: a guess from a name is no review.",
        *([f"# {comment(table.note)}"] if table.note else []),
        f"table: {yaml_name(name)}",
        f"about: {yaml_text(about, LONGEST_TABLE_DESCRIPTION)}{shortened}",
        f"source: {yaml_text(table.source)}",
        f"publish: {dataset}.{name}",
        f"load: {load}  # {reason}",
        f"key: {yaml_names(key)}",
    ]
    if sums:
        head.append(f"reconcile: {yaml_names(sums)}")
    if joins:
        head.append(f"joins: {{{', '.join(f'{yaml_name(column)}: {target}' for column, target in joins.items())}}}")
    keys = {one.at_source: f"{yaml_name(one.at_source)}:" for one in lines}
    width = max(map(len, keys.values()))
    body = [
        f"  {keys[one.at_source]:<{width}} {_body(one)}{'  # ' if one.why else ''}{comment(one.why)}" for one in lines
    ]
    tail = ["derive:", *(f"  {line}" for line in derive)] if derive else []
    return "\n".join([*head, "columns:", *body, *tail]) + "\n"


def _body(line: _Line) -> str:
    never = ", nullable: false" if line.not_null and line.published else ""
    renamed = f", publish_as: {yaml_name(line.name)}" if line.published and line.name != line.at_source else ""
    return f"{{type: {yaml_type(line.type)}{renamed}, class: {line.column_class}, mask: {line.mask}{never}}}"


def _names(table: FoundTable) -> dict[str, str]:
    """Returns the published name of each column: its own where contracts publish it, else one that is free."""
    own = {column.name: column.name for column in table.columns if published_name(column.name) == column.name}
    names: dict[str, str] = {}
    for position, column in enumerate(table.columns, 1):
        taken = {*own.values(), *names.values()}
        names[column.name] = own.get(column.name) or free_name(column.name, position, taken)
    return names


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


def _line(table: FoundTable, column: FoundColumn, published: str, name: str, known: Sequence[Contract]) -> _Line:
    mask, column_class, found = decide(table, column, name, known)
    kind = str(column.type or ColumnType("string"))
    return _Line(column.name, published, kind, column_class, mask, column.not_null, _why(found, column, mask))


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
    return f"{said}; {column.note}" if column.note else said


def _joins(table: FoundTable, lines: Sequence[_Line], known: Sequence[Contract]) -> Iterator[tuple[str, str]]:
    published = {one.at_source: one.name for one in lines if one.published}
    for column, (source, key) in table.references.items():
        target = contract_of(known, source)
        there = {at_source: name for name, at_source in target.source_names.items()} if target else {}
        if column in published and target and key in there:
            yield published[column], f"{target.table}.{there[key]}"


def _load(table: FoundTable, lines: Sequence[_Line]) -> tuple[str, list[str], str]:
    """Returns the load mode, the derived columns it needs, and why."""
    times = [one.name for one in lines if one.kept and one.type == "timestamp" and one.not_null]
    at_source = {one.name: one.at_source for one in lines}
    indexed = [name for name in times if at_source[name] in table.indexed]
    days = [name for name in indexed if not any(word in name for word in _MOVES)]
    changes = [name for name in indexed if any(word in name for word in _CHANGED)]
    by = _day_name(days[0], {one.name for one in lines}) if days else ""
    derived = [f"{by}: {{type: date, from: {yaml_name(days[0])}, as: business_date}}"] if days else []
    if table.bytes < LARGE:
        return "{mode: full}", derived, "small enough to be read whole" if table.bytes else "its size is unknown"
    if days:
        return f"{{mode: partition, by: {by}, lookback_days: 2}}", derived, f"large, and {days[0]} is indexed"
    if changes:
        own = any(one.name == DELETED_AT for one in lines)  # the source marks its deleted rows itself
        deletes = "deletes: ignore" if own else "deletes: soft, reconcile_keys: 7"
        merge = f"{{mode: merge, watermark: {yaml_name(changes[0])}, {deletes}}}"
        return merge, [], f"large, and {changes[0]} is indexed: if every change moves it forward"
    return "{mode: full}", [], "large, and no time is indexed that could tell days or changes"


def _day_name(column: str, taken: set[str]) -> str:
    stem = column.removesuffix("_at").removesuffix("_time")
    names = (f"{stem}_on", f"{stem}_day", f"{column}_business_date")
    return next((name for name in names if name not in taken), f"{column}_day_in_japan")
