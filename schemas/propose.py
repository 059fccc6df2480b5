"""Proposes a contract for a table that has none: complete, valid, and dropping whatever is unclear."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import yaml

from masking.policy import ColumnClass
from masking.strategies import Strategy
from schemas.contract import Contract
from schemas.guess import Guess, guess
from schemas.loads import DELETED_AT
from schemas.patch import yaml_type
from schemas.reviewed import NAME
from schemas.types import ColumnType

LARGE: Final = 256 * 1024 * 1024
"""From so many bytes on, a table with a time that never changes is proposed to be loaded by days."""
_DROP: Final = "{strategy: drop}"
_CHANGED: Final = ("updated", "modified", "changed", "koshin")
"""Words of times that every change of a row moves forward."""
_MOVES: Final = (*_CHANGED, "last")
"""Words of times that move, and so cannot place a row in a day for good."""
_ENDINGS: Final = ("_id", "_no", "_number", "_num", "_code", "_bango", "_key", "_uuid")


@dataclass(frozen=True)
class FoundColumn:
    """A source column as discovery sees it.

    Attributes:
        type: the contract type that holds it; None where the types table has none.
        enum: whether the database limits its values to a list.
        length: the most characters that a text may have.
        seen: what a sample's values are for the most part; None where no sample was looked at, or nothing was found.
        note: counts of what a sample holds, for the comment.
    """

    name: str
    type: ColumnType | None
    not_null: bool
    enum: bool = False
    length: int | None = None
    comment: str = ""
    seen: ColumnClass | None = None
    note: str = ""


@dataclass(frozen=True)
class FoundTable:
    """A source table as discovery sees it.

    Attributes:
        source: `schema.table`.
        key: the columns of the primary key, or of a unique index.
        indexed: columns with which an index begins.
        references: column → referenced `schema.table` and its column.
        bytes: its size; 0 where nobody knows.
    """

    source: str
    columns: tuple[FoundColumn, ...]
    key: tuple[str, ...]
    indexed: frozenset[str] = frozenset()
    references: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    bytes: int = 0
    comment: str = ""


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
        return self.mask != _DROP

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


def _line(table: FoundTable, column: FoundColumn, name: str, known: Sequence[Contract]) -> _Line:
    found = guess(column.name, column.type, enum=column.enum, length=column.length, comment=column.comment)
    column_class, harmless = found.column_class, found.harmless
    if column.seen is not None:  # what the values are weighs more than what the name says, unless that is graver
        document = column.type is not None and column.type.name == "json"  # it holds more than what was recognized
        column_class = column.seen if (harmless or not found.word) and not document else column_class
        harmless = ""
    kind = str(column.type or ColumnType("string"))
    why = _why(found, column)
    if column.name in table.key or column.name in table.references:
        mask, column_class = _token(table, column, name, column_class, harmless, known)
    elif harmless and NAME.match(column.name):
        mask = f"{{strategy: keep, why: {_text(f'guessed: {harmless}')}}}"
    else:
        mask = _reduced(column_class, column) if NAME.match(column.name) else _DROP
    return _Line(column.name, kind, column_class, mask, column.not_null, why)


def _why(found: Guess, column: FoundColumn) -> str:
    if column.type is None:
        said = "no exact way to BigQuery"
    elif found.word:
        said = f"by its name ({found.word})"
    elif found.harmless and column.seen is None:
        return column.note
    else:
        said = "unclear: dropped until somebody knows"
    if not NAME.match(column.name):
        said += "; to publish it, give it a Latin name by a view"
    return f"{said}; {column.note}" if column.note else said


def _reduced(column_class: ColumnClass, column: FoundColumn) -> str:
    """Returns the few masks that leave something useful and nothing of the person; the name must be sure."""
    if column.seen is not None or column.type is None:
        return _DROP
    if column_class is ColumnClass.BIRTH_DATE and column.type.name in {"date", "timestamp", "datetime"}:
        return "{strategy: generalize_date, to: age_band}"
    return _DROP


def _token(
    table: FoundTable,
    column: FoundColumn,
    name: str,
    column_class: ColumnClass,
    harmless: str,
    known: Sequence[Contract],
) -> tuple[str, ColumnClass]:
    """Returns the mask of a key or a reference: that of the column it leads to, where a contract has it."""
    if not NAME.match(column.name) or column_class in {
        ColumnClass.SENSITIVE_AUTHENTICATION,
        ColumnClass.NATIONAL_ID,
    }:
        return _DROP, column_class
    other = table.references.get(column.name)
    target = _contract_of(known, other[0]) if other else None
    if target and other and other[1] in target.selected:
        meant = target.columns[other[1]]
        return _flow(meant.mask), meant.column_class
    if column.type is not None and column.type.name in {"date", "timestamp", "datetime"} and harmless:
        return f"{{strategy: keep, why: {_text(f'guessed: {harmless}')}}}", ColumnClass.NONE
    if column.type is None or column.type.name == "float64":
        return _DROP, column_class
    tokenized = {ColumnClass.NONE: ColumnClass.IDENTIFIER, ColumnClass.FREE_TEXT: ColumnClass.IDENTIFIER}
    domain = _domain(*other) if other else _domain(f".{name}", column.name)
    same = _mask_of_domain(known, domain)
    if column_class is ColumnClass.PAN:
        return same or "{strategy: tokenize, domain: pan}", column_class
    return same or f"{{strategy: tokenize, domain: {domain}}}", tokenized.get(column_class, column_class)


def _domain(table: str, column: str) -> str:
    """Returns the domain of a key: `member` for `member_id`, and the table's own name where the column says nothing."""
    stem = column.lower()
    for ending in _ENDINGS:
        stem = stem.removesuffix(ending)
    if not NAME.match(stem) or stem in {"id", "no", "key", "code", "number", "uuid"}:
        stem = table.split(".")[1].removesuffix("s")
    return stem if NAME.match(stem) else "key"


def _mask_of_domain(known: Sequence[Contract], domain: str) -> str | None:
    for contract in known:
        for column in contract.selected.values():
            if getattr(column.mask, "domain", None) == domain:
                return _flow(column.mask)
    return None


def _contract_of(known: Sequence[Contract], source: str) -> Contract | None:
    return next((contract for contract in known if contract.source == source), None)


def _joins(table: FoundTable, lines: Sequence[_Line], known: Sequence[Contract]) -> Iterator[tuple[str, str]]:
    published = {one.name for one in lines if one.published}
    for column, (source, key) in table.references.items():
        target = _contract_of(known, source)
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


def _flow(mask: Strategy) -> str:
    said = {"strategy": mask.strategy, **mask.model_dump(mode="json", exclude_defaults=True)}
    text: str = yaml.safe_dump(said, default_flow_style=True, sort_keys=False, width=10_000, allow_unicode=True)
    return text.strip()
