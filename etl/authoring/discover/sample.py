"""Looks at a sample of a table in this process's memory and gives counts; only on request, and never a value."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import pyarrow as pa

from etl.source import ReadColumn, Session, SourceColumn, SourceTable
from masking.policy import ColumnClass
from masking.value_shapes import count_looks, mostly, nearly_all
from schemas.types import ColumnType, suggest

_PLACES: Final = 10
"""From so many places of a table a sample is taken, because neighbors are alike."""
_HEAPS: Final = frozenset({"r", "m", "p"})
_LOOKED_AT: Final = frozenset({"string", "json", "bytes", "int64", "numeric"})


@dataclass(frozen=True)
class SampledShape:
    """What a sample of a column looks like.

    Attributes:
        mostly: the class of most values; free text where some look like something; None where hardly any does.
        sure: whether nearly all values look like that class.
        note: the counts, for people.
    """

    mostly: ColumnClass | None
    sure: bool
    note: str


def looks_of(session: Session, source: SourceTable, rows: int) -> dict[str, SampledShape]:
    """Returns what about so many rows look like, by column; columns that can hold nothing personal are not read.

    Raises:
        SourceUnavailable, ReadFailed: the sample could not be read.
    """
    columns = [column for column in source.columns if column.readable and column.type != "enum"]
    kinds = {column.name: _read_as(column, session) for column in columns}
    chosen = [column for column in columns if kinds[column.name] is not None]
    reads = [ReadColumn(column.name, kinds[column.name] or ColumnType("string")) for column in chosen]
    if not reads:
        return {}
    values: list[list[str | None]] = [[] for _ in reads]
    for row in _rows(session, source, reads, rows):
        for place, value in zip(values, row, strict=True):
            place.append(_text(value))
    return {column.name: _looks(texts) for column, texts in zip(chosen, values, strict=True)}


def _read_as(column: SourceColumn, session: Session) -> ColumnType | None:
    """Returns the type to read a column as: numbers and documents as text; None where it is not looked at."""
    fitting = suggest(column.type, column.precision, column.scale, session.dialect.name)
    if fitting and ColumnType.parse(fitting).name not in _LOOKED_AT:
        return None
    return ColumnType("bytes" if fitting == "bytes" else "string")


def _rows(session: Session, source: SourceTable, reads: list[ReadColumn], rows: int) -> Iterator[tuple[object, ...]]:
    places = session.slices(source, _PLACES) if source.kind in _HEAPS else ()
    wheres = [part.where for part in places] or ["TRUE"]
    each = -(-rows // len(wheres))
    for where in wheres:
        for row in session.rows(f"{session.dialect.select(source.name, reads, where)} LIMIT {each}"):
            yield tuple(row)


def _text(value: object) -> str | None:
    if value is None:
        return None
    return bytes(value).decode("utf-8", "replace") if isinstance(value, bytes | memoryview) else str(value)


def _looks(texts: list[str | None]) -> SampledShape:
    values = pa.array(texts, pa.string()).drop_null()
    counts = count_looks(values)
    told = ", ".join(f"{count:,} {column_class}" for column_class, count in counts.most_common())
    sure = nearly_all(counts, len(values))
    return SampledShape(mostly(counts, len(values)), sure, f"of {len(values):,} values: {told or 'nothing recognized'}")
