"""Publishes free text with card numbers, e-mail addresses and the like taken out."""

from __future__ import annotations

from itertools import groupby
from operator import itemgetter
from typing import ClassVar, Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from masking.leaks import LeakKind, OwnIins, Span, find_spans
from masking.strategies.base import Example, FallibleStrategy, MaskContext, Masked
from masking.text_types import is_text

_PLACEHOLDERS = {kind: f"[{kind.name}]".encode() for kind in LeakKind} | {LeakKind.OWN_CARD: b"[PAN]"}
_GRAVEST_FIRST = tuple(LeakKind)


class ScrubText(FallibleStrategy):
    """Publishes free text in which card numbers, track data, My Number, e-mail addresses and phones are placeholders.

    What it leaves never trips the leak gate, because both read text alike, escapes and encodings too. Names, addresses
    and other words stay: text in which people are named needs `drop`.
    """

    strategy: Literal["scrub_text"] = "scrub_text"

    examples: ClassVar[tuple[Example, ...]] = (
        Example(
            (
                ("カード４１１１－１１１１－１１１１－１１１１を再発行", "カード[PAN]を再発行"),
                ("連絡先 hanako@example.jp / 090-1234-5678", "連絡先 [EMAIL] / [PHONE]"),
                ("分割 3 回", "分割 3 回"),
                (None, None),
            )
        ),
    )

    def output_type(self, source: pa.DataType) -> pa.DataType:
        """Returns the same type of text."""
        if not (is_text(source) or pa.types.is_null(source)):
            raise self._misused(source, "text")
        return pa.string() if pa.types.is_null(source) else source

    def _apply(self, column: pa.Array, given: MaskContext) -> Masked:
        return Masked(_scrubbed(column, given.own_iins))


def _scrubbed(column: pa.Array, own: OwnIins = ()) -> pa.Array:
    """Returns the column without leaks; looks again at what it changed, since a removal can uncover a neighbor."""
    spans = find_spans(column, own=own)
    if not spans:
        return column
    found = {row: list(of_row) for row, of_row in groupby(spans, key=itemgetter(0))}
    rows = list(found)
    leaking = column.take(pa.array(rows)).cast(pa.large_binary()).to_pylist()
    texts = [_without(text, of_row) for text, of_row in zip(leaking, found.values(), strict=True)]
    changed = _scrubbed(pa.array(texts, pa.large_binary()).cast(column.type), own)
    mask = np.zeros(len(column), np.bool_)
    mask[rows] = True
    return pc.replace_with_mask(column, pa.array(mask), changed)


def _without(text: bytes, spans: list[Span]) -> bytes:
    """Returns one text with each span replaced; spans that overlap become one placeholder, of the gravest kind."""
    parts = []
    position = 0
    start, end, kinds = spans[0].start, spans[0].end, {spans[0].kind}
    for span in [*spans[1:], None]:
        if span is not None and span.start < end:
            end = max(end, span.end)
            kinds.add(span.kind)
            continue
        gravest = min(kinds, key=_GRAVEST_FIRST.index)
        parts += [text[position:start], _PLACEHOLDERS[gravest]]
        position = end
        if span is not None:
            start, end, kinds = span.start, span.end, {span.kind}
    return b"".join([*parts, text[position:]])
