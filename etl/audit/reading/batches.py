"""A staged file's rows, batch by batch; texts that repeat come as their different values, each to be looked at once.

How a column comes is told by its own pages, and nothing is believed: a dictionary that holds a value twice, or lacks
one that rows name, would be read wrongly (Arrow counts its values anew and checks no index) and is refused. What comes
out are the values that rows name, and no others.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial
from typing import BinaryIO, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from etl.audit.reading.pages import dictionary_size
from etl.audit.reading.row_group import RowGroup
from etl.audit.staged_file import translated_file
from etl.cloud.storage import StagingLocation
from etl.errors import NOT_PUBLISHED
from etl.stage import StageChanged

_MOST_ROWS: Final = 1 << 17
"""Rows of a batch; a row group of ours has fewer, unless its rows are short."""
_TEXT: Final = "BYTE_ARRAY"


def batches_by_value(location: StagingLocation, stream: BinaryIO, footer: pq.FileMetaData) -> Iterator[pa.RecordBatch]:
    """Yields the rows of a staged file; memory holds one row group as it is stored, and one batch.

    Args:
        location: the staging bucket, for errors.
        stream: the file's bytes.
        footer: its footer, which was read before.

    Raises:
        StageChanged: its bytes are not those of a whole file, a dictionary holds a value twice, or lacks one that rows
            name.
        StorageUnavailable: storage did not give them.
    """
    with translated_file(location):
        yield from _batches(stream, footer)


def _batches(stream: BinaryIO, footer: pq.FileMetaData) -> Iterator[pa.RecordBatch]:
    for number in range(footer.num_row_groups):
        yield from _of_group(stream, footer, number)


def _of_group(stream: BinaryIO, footer: pq.FileMetaData, number: int) -> Iterator[pa.RecordBatch]:
    group = RowGroup.of(stream, footer.row_group(number))
    sizes = dictionary_sizes(group)
    with pq.ParquetFile(group, metadata=footer, read_dictionary=list(sizes), page_checksum_verification=True) as file:
        batches = file.iter_batches(_MOST_ROWS, row_groups=[number], use_threads=False)
        yield from map(partial(_as_named, sizes=sizes), batches)


def dictionary_sizes(group: RowGroup) -> Mapping[str, int]:
    """Returns the columns of texts or bytes whose rows all go by a dictionary, and how many values each says it has."""
    sizes = {
        column.path_in_schema: dictionary_size(group.chunk(column))
        for column in group.columns
        if column.has_dictionary_page and column.physical_type == _TEXT
    }
    return {name: size for name, size in sizes.items() if size is not None}


def _as_named(batch: pa.RecordBatch, sizes: Mapping[str, int]) -> pa.RecordBatch:
    """Returns a batch whose dictionaries have exactly the values that rows name; plain where few of them repeat."""
    columns = [
        _of_named_values(column, sizes[name]) if pa.types.is_dictionary(column.type) else column
        for name, column in zip(batch.schema.names, batch.columns, strict=True)
    ]
    return pa.RecordBatch.from_arrays(columns, names=batch.schema.names)


def _of_named_values(column: pa.DictionaryArray, size: int) -> pa.Array:
    named = _named(column, size)
    if 2 * len(named) > len(column):
        return column.dictionary_decode()
    if len(named) == size:
        return column
    places = np.zeros(size, np.int32)
    places[named] = np.arange(len(named), dtype=np.int32)
    return pa.DictionaryArray.from_arrays(
        pa.array(places).take(column.indices), column.dictionary.take(pa.array(named))
    )


def _named(column: pa.DictionaryArray, size: int) -> npt.NDArray[np.int64]:
    """Returns, in order, which values of a dictionary rows name.

    Raises:
        StageChanged: it holds one twice, or lacks one.
    """
    indices = column.indices.drop_null().to_numpy()
    if len(column.dictionary) != size or (len(indices) and not 0 <= indices.min() <= indices.max() < size):
        raise StageChanged(
            "A staged file's rows name values that its dictionary does not hold once each: it is not what was staged.",
            not_done=NOT_PUBLISHED,
        )
    return np.flatnonzero(np.bincount(indices, minlength=size))
