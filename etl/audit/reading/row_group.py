"""One row group's bytes, as they are stored: fetched at once, looked at, and read by Arrow at their own places."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import BinaryIO

import pyarrow.parquet as pq


class RowGroup(io.RawIOBase):
    """A file of which only one row group is there.

    Args:
        content: the bytes of the group.
        begin: where they begin in the file.
        columns: what the footer says of the group's column chunks.
    """

    def __init__(self, content: bytes, begin: int, columns: Sequence[pq.ColumnChunkMetaData]) -> None:
        super().__init__()
        self._content = content
        self._begin = begin
        self._place = 0
        self.columns = tuple(columns)

    @classmethod
    def of(cls, stream: BinaryIO, group: pq.RowGroupMetaData) -> RowGroup:
        """Fetches a row group of a file."""
        columns = [group.column(number) for number in range(group.num_columns)]
        begin = max(0, min(map(_begin, columns)))
        stream.seek(begin)
        return cls(stream.read(max(0, max(map(_end, columns)) - begin)), begin, columns)

    def chunk(self, column: pq.ColumnChunkMetaData) -> bytes:
        """Returns the bytes of a column chunk."""
        return self._content[_begin(column) - self._begin : _end(column) - self._begin]

    def readable(self) -> bool:
        """It is for reading."""
        return True

    def seekable(self) -> bool:
        """It has places."""
        return True

    def tell(self) -> int:
        """Returns the place in the file."""
        return self._place

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Goes to a place in the file, of which the end of the group is the end."""
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._place, io.SEEK_END: self._begin + len(self._content)}[whence]
        self._place = base + offset
        return self._place

    def read(self, size: int = -1) -> bytes:
        """Returns bytes from the present place on; none where the group is not."""
        first = self._place - self._begin
        if first < 0:
            return b""
        found = self._content[first:] if size < 0 else self._content[first : first + size]
        self._place += len(found)
        return found


def _begin(column: pq.ColumnChunkMetaData) -> int:
    """Returns where a column chunk begins; its dictionary, if it has one, is before its data."""
    data: int = column.data_page_offset
    return min(data, column.dictionary_page_offset or data)


def _end(column: pq.ColumnChunkMetaData) -> int:
    return int(_begin(column) + column.total_compressed_size)
