"""Columns whose values repeat go from reading to writing as their different values, each looked at once."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator

import pyarrow as pa


def with_repeats_encoded(batches: Iterable[pa.RecordBatch], names: Collection[str]) -> Iterator[pa.RecordBatch]:
    """Returns the batches of a slice with columns dictionary-encoded: those that pay in the first one.

    Masks and the leak gate then look at each different value of a batch once, and Parquet takes them over as they are.
    A batch is not kept when the next is asked for.

    Args:
        batches: of one schema.
        names: columns that may be encoded.
    """
    chosen: Collection[str] | None = None

    def encode(batch: pa.RecordBatch) -> pa.RecordBatch:
        nonlocal chosen
        encoded = {name: batch.column(name).dictionary_encode() for name in (names if chosen is None else chosen)}
        if chosen is None:
            chosen = [name for name, column in encoded.items() if _repeats(column)]
        columns = [
            encoded[name] if name in chosen else column
            for name, column in zip(batch.schema.names, batch.columns, strict=True)
        ]
        return pa.RecordBatch.from_arrays(columns, names=batch.schema.names)

    return map(encode, batches)


def _repeats(column: pa.DictionaryArray) -> bool:
    """Tells whether a value comes twice on average: below that, finding the different ones costs what it saves."""
    return 2 * len(column.dictionary) <= len(column)
