"""Judges batches: what their columns hold against what they may hold, and what would help for what was found."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from masking.errors import StrategyMisused
from masking.formats import LuhnShare, fitting, format_named, luhn_share
from masking.formats.declared import fits
from masking.formats.schemes import BY_CHANCE, SchemeName
from masking.leaks.columns import leaking_rows, texts_of
from masking.leaks.kinds import ALL_KINDS, LOOKALIKES, Allowed, Leak, LeakKind
from masking.leaks.own_cards import OwnIins, own_tokens_of_fpe
from masking.rows import naming

_SAMPLE: Final = 256
"""Values by which a column is chosen for a count of all that pass Luhn."""

_MOST_COMPARED: Final = 20_000
"""Values that are compared with the declared formats, to name the one that would fit."""

_LETTERS: Final = r"\pL[^@]*\s|\s[^@]*\pL|\pL{2,}[:=：][0-9+]|[\p{Han}\p{Hiragana}\p{Katakana}ー]{2,}[0-9+]"
"""What a value has that is more than a number or an address: words beside it, which letters of an id are not."""


def find_leaks(
    batch: pa.RecordBatch, allowed: Mapping[str, Allowed | frozenset[LeakKind]], own: OwnIins = ()
) -> tuple[Leak, ...]:
    """Returns every leak of a batch that its column is not allowed to hold, in the order of columns and kinds.

    Args:
        batch: what is about to be staged.
        allowed: column name to what it may hold; a column that is not named may hold nothing.
        own: the issuer's own IINs; a card under one of them is never allowed.

    Raises:
        StrategyMisused: a column is of a type that cannot be scanned; the error names it.
    """
    found: list[Leak] = []
    for name, column in zip(batch.schema.names, batch.columns, strict=True):
        may = allowed.get(name, Allowed())
        try:
            found += _of_column(name, column, may if isinstance(may, Allowed) else Allowed(may), own)
        except StrategyMisused as error:
            refusal = error.at(column=name)
        else:
            continue
        raise refusal
    return tuple(found)


def _of_column(name: str, column: pa.Array, may: Allowed, own: OwnIins) -> Iterator[Leak]:
    """Yields the leaks of one column, the kinds in order."""
    if may.tokens:
        if own and (count := _own_tokens(column, own)):
            yield Leak(name, LeakKind.OWN_CARD, count)
        return
    if pa.types.is_dictionary(column.type) and may.number:
        column = column.dictionary_decode()
    sought = ALL_KINDS - may.kinds | {LeakKind.OWN_CARD}
    rows = leaking_rows(column, sought - LOOKALIKES if may.number else sought, own)
    rate = BY_CHANCE
    if may.number:
        scheme, texts = format_named(may.number), _texts(column)
        rate = scheme.rate
        if misfits := int((~fits(texts, scheme)).sum()):
            yield Leak(name, LeakKind.MISFIT, misfits, fits=_fitting(texts))
    cards = LuhnShare() if LeakKind.PAN in may.kinds else _cards_among(column, rate)
    if not rows and not cards.numbers:
        return
    texts = _texts(column)
    share, names = luhn_share(texts), _fitting(texts)
    for kind in sorted({*rows, *({LeakKind.PAN} if cards.numbers else ())}):
        flags = rows.get(kind)
        count = int(flags.sum()) if flags is not None else 0
        in_text = _with_words(column, flags) if flags is not None else 0
        yield Leak(name, kind, max(count, cards.valid if kind == LeakKind.PAN else 0), in_text, share, names)


def _own_tokens(column: pa.Array, own: OwnIins) -> int:
    """Counts the tokens of cards that are the issuer's own card numbers."""
    if pa.types.is_dictionary(column.type) and texts_of(column.dictionary)[0] is None:
        return int(naming(column, own_tokens_of_fpe(column.dictionary, own)).sum())
    plain = column.dictionary_decode() if pa.types.is_dictionary(column.type) else column
    return int(own_tokens_of_fpe(texts_of(plain)[1], own).sum())


def _texts(column: pa.Array) -> pa.Array:
    """Returns the values that are scanned as text; of a column of bytes none, if some are no text."""
    if pa.types.is_dictionary(column.type):
        column = column.dictionary_decode()
    _, texts = texts_of(column, smallest=1)
    if pa.types.is_binary(texts.type) or pa.types.is_large_binary(texts.type):
        with suppress(pa.ArrowInvalid):  # Arrow's message quotes the value
            return texts.cast(pa.string())
        return pa.array([], pa.string())
    return texts


def _cards_among(column: pa.Array, rate: float) -> LuhnShare:
    """Returns the count of numbers that pass Luhn where it is too high for chance, else one of nothing."""
    step = max(1, len(column) // _SAMPLE)
    sample = column if step == 1 else column.take(pa.array(np.arange(0, len(column), step)))
    if not luhn_share(_texts(sample)).too_high(rate):
        return LuhnShare()
    share = luhn_share(_texts(column), distinct=True)
    return share if share.too_high(rate) else LuhnShare()


def _fitting(texts: pa.Array) -> tuple[SchemeName, ...]:
    return fitting(texts.slice(0, _MOST_COMPARED).drop_null())


def _with_words(column: pa.Array, flags: npt.NDArray[np.bool_]) -> int:
    """Counts the flagged rows that hold words beside what was found."""
    if pa.types.is_dictionary(column.type):
        column = column.dictionary_decode()
    if not (pa.types.is_string(column.type) or pa.types.is_large_string(column.type)):
        return 0
    return int(pc.sum(pc.match_substring_regex(column.filter(pa.array(flags)), _LETTERS)).as_py() or 0)
