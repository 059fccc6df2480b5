"""Text and binary columns as byte buffers: rows of one length become one NumPy matrix, and matrices become columns.

A cipher over arrays wants rows of equal length. `ByteStrings.groups` hands them out so, in pieces small enough for the
processor's cache, without a Python object for any value. `Ragged` is the way back for rows whose lengths differ.
"""

from __future__ import annotations

from binascii import hexlify
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from masking.errors import InvalidValues, StrategyMisused

Bytes = npt.NDArray[np.uint8]
Rows = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]

PIECE_ROWS = 1 << 14
"""Rows a piece: 16-byte rows and their temporaries then stay in the second-level cache."""

WINDOW_ROWS = 1 << 16
"""Rows that are sorted by length together: so many lie near each other in memory, and runs are still long."""

PIECE_BYTES = 1 << 20
"""Bytes a piece, so that long values do not multiply memory; one longer value is a piece of its own."""

_COPY_BY_ROW = 1 << 12
"""Rows of at least this many bytes are copied one by one: the loop costs nothing beside the copying."""

_KEPT_BYTES = 1 << 24

_OFFSET_LIMIT = (1 << 31) - 1


@dataclass(frozen=True, eq=False)
class ByteStrings:
    """A column of byte strings without copying it: row i is `data[offsets[i]:offsets[i + 1]]`.

    Attributes:
        data: uint8 bytes of all rows; may belong to Arrow, so treat it as read-only.
        offsets: int64 (n + 1), not decreasing.
        valid: bool (n), False where the row is null; None when no row is.
    """

    data: Bytes
    offsets: Rows
    valid: Flags | None = None

    def __repr__(self) -> str:  # the generated one would print bytes of the values
        return f"ByteStrings(rows={len(self)})"

    @classmethod
    def from_arrow(cls, column: pa.Array | pa.ChunkedArray) -> ByteStrings:
        """Views a string, binary or dictionary column of either offset width; slices, chunks and nulls are fine.

        Raises:
            StrategyMisused: when the column's type holds no text or bytes.
        """
        if isinstance(column, pa.ChunkedArray):
            column = column.combine_chunks() if column.num_chunks != 1 else column.chunk(0)
        if pa.types.is_dictionary(column.type):
            column = column.dictionary_decode()
        valid = None if column.null_count == 0 else np.asarray(column.is_valid())
        if pa.types.is_fixed_size_binary(column.type):
            width, rows = column.type.byte_width, len(column)
            data = _bytes_of(column.buffers()[1])
            return cls(data, width * (column.offset + np.arange(rows + 1, dtype=np.int64)), valid)
        offsets = _offsets_of(column).astype(np.int64, copy=False)
        return cls(_bytes_of(column.buffers()[2]), offsets, valid)

    @staticmethod
    def pieces(column: pa.Array, size: int) -> Iterator[tuple[int, ByteStrings]]:
        """Yields a string or binary column piece by piece: its first row, and about `size` bytes or one longer row.

        Only the offsets of one piece are ever widened, so that a long column takes no memory of its own. Nulls are not
        told from what stands under them.
        """
        offsets = _offsets_of(column)
        data = _bytes_of(column.buffers()[2])
        first, rows = 0, len(column)
        while first < rows:
            end = offsets.dtype.type(min(int(offsets[first]) + size, int(offsets[-1])))  # else all offsets are widened
            until = int(np.searchsorted(offsets, end, "right")) - 1
            until = min(max(until, first + 1), rows)
            low, high = int(offsets[first]), int(offsets[until])
            yield first, ByteStrings(data[low:high], offsets[first : until + 1].astype(np.int64) - low)
            first = until

    def __len__(self) -> int:
        return len(self.offsets) - 1

    @property
    def lengths(self) -> Rows:
        """Returns the byte length of each row, int64 (n); what stands under a null has no meaning."""
        return np.diff(self.offsets)

    def groups(self, piece_rows: int = PIECE_ROWS, piece_bytes: int = PIECE_BYTES) -> Iterator[tuple[Rows, Bytes]]:
        """Yields (row numbers int64 (m), bytes uint8 (m, L)) so that each valid row comes exactly once.

        One length may come in several pieces. Row numbers ascend within a piece. Matrices may be views of the column:
        read-only.
        """
        for begin in range(0, len(self), WINDOW_ROWS):
            end = min(begin + WINDOW_ROWS, len(self))
            for rows, length in self._runs(begin, end):
                step = max(1, min(piece_rows, piece_bytes // max(length, 1)))
                for start in range(0, len(rows), step):
                    piece = rows[start : start + step]
                    yield piece, gather(self.data, self.offsets[piece], length)

    def _runs(self, begin: int, end: int) -> Iterator[tuple[Rows, int]]:
        """Yields the numbers of the valid rows of each length among rows begin … end - 1."""
        lengths = np.diff(self.offsets[begin : end + 1])
        chosen = np.arange(end - begin) if self.valid is None else np.flatnonzero(self.valid[begin:end])
        if len(chosen) == 0:
            return
        lengths = lengths[chosen]
        if (lengths == lengths[0]).all():
            yield begin + chosen, int(lengths[0])
            return
        # NumPy sorts 16-bit integers by radix, ten times faster than 64-bit ones.
        order = np.argsort(lengths.astype(np.uint16) if lengths.max() < 1 << 16 else lengths, kind="stable")
        for run in np.split(order, np.flatnonzero(np.diff(lengths[order])) + 1):
            yield begin + chosen[run], int(lengths[run[0]])


class Ragged:
    """A column being written whose row lengths are known beforehand; its pieces may come in any order.

    Bytes that nobody places are zero, so a forgotten row cannot show old memory.

    Args:
        lengths: int64 (n), bytes of each row.
        valid: bool (n), False for null rows, which take no bytes; None when no row is null.
    """

    def __init__(self, lengths: Rows, valid: Flags | None = None) -> None:
        taken = lengths if valid is None else np.where(valid, lengths, 0)
        self._offsets = np.zeros(len(lengths) + 1, np.int64)
        np.cumsum(taken, out=self._offsets[1:])
        self._valid = valid
        # NumPy asks for huge pages here but not in `zeros`: half the time to fill, and fewer misses to scatter into.
        self._data = np.empty(int(self._offsets[-1]), np.uint8)
        self._data.fill(0)

    def place(self, rows: Rows, matrix: Bytes) -> None:
        """Writes matrix (m, L) into the given rows, which have L bytes."""
        _scatter(self._data, self._offsets[rows], matrix)

    def strings(self) -> pa.StringArray:
        """Returns the column as Arrow strings; the writer answers for the bytes being UTF-8."""
        return self._column(pa.StringArray)

    def binary(self) -> pa.BinaryArray:
        """Returns the column as Arrow binary."""
        return self._column(pa.BinaryArray)

    def byte_strings(self) -> ByteStrings:
        """Returns the column as another view for the next kernel."""
        return ByteStrings(self._data, self._offsets, self._valid)

    def _column(self, kind: type[pa.StringArray | pa.BinaryArray]) -> pa.Array:
        if self._offsets[-1] > _OFFSET_LIMIT:
            raise InvalidValues(
                f"{len(self._offsets) - 1} masked values need more than 2 GiB in one batch.",
                not_done="No row of the batch was masked.",
                advice="Read the table in smaller batches.",
            )
        bitmap = None if self._valid is None else pa.py_buffer(np.packbits(self._valid, bitorder="little"))
        parts = (pa.py_buffer(self._offsets.astype(np.int32)), pa.py_buffer(self._data), bitmap)
        if kind is pa.StringArray:
            return pa.StringArray.from_buffers(len(self._offsets) - 1, *parts)
        return pa.Array.from_buffers(pa.binary(), len(self._offsets) - 1, [bitmap, parts[0], parts[1]])


def strings_from_matrix(matrix: Bytes, valid: Flags | None = None) -> pa.StringArray:
    """Makes a string column of rows of one length; null rows take no bytes."""
    column = Ragged(np.full(len(matrix), matrix.shape[1], np.int64), valid)
    rows = np.arange(len(matrix)) if valid is None else np.flatnonzero(valid)
    column.place(rows, matrix if valid is None else matrix[rows])
    return column.strings()


def hex_strings(matrix: Bytes, prefix: bytes = b"", valid: Flags | None = None) -> pa.StringArray:
    """Makes a string column of `prefix` and the row's bytes in lower-case hexadecimal; null rows take no bytes."""
    rows = np.arange(len(matrix)) if valid is None else np.flatnonzero(valid)
    column = Ragged(np.full(len(matrix), len(prefix) + 2 * matrix.shape[1], np.int64), valid)
    for start in range(0, len(rows), PIECE_ROWS):
        piece = rows[start : start + PIECE_ROWS]
        column.place(piece, hexadecimal(matrix[piece], prefix))
    return column.strings()


def assemble(count: int, groups: Iterable[tuple[Rows, Bytes]]) -> pa.StringArray:
    """Makes a string column of `count` rows from groups of equally long ones; rows that no group names become null."""
    pieces = list(groups)
    lengths, valid = np.zeros(count, np.int64), np.zeros(count, np.bool_)
    for rows, matrix in pieces:
        lengths[rows], valid[rows] = matrix.shape[1], True
    column = Ragged(lengths, None if valid.all() else valid)
    for rows, matrix in pieces:
        column.place(rows, matrix)
    return column.strings()


def hexadecimal(matrix: Bytes, prefix: bytes = b"") -> Bytes:
    """Returns `prefix` and the lower-case hexadecimal text of each row: uint8 (n, k) → ASCII uint8 (n, p + 2k)."""
    digits = np.frombuffer(hexlify(np.ascontiguousarray(matrix).reshape(-1).data), np.uint8)
    text = np.empty((len(matrix), len(prefix) + 2 * matrix.shape[1]), np.uint8)
    text[:, : len(prefix)] = np.frombuffer(prefix, np.uint8)
    copy_rows(digits.reshape(len(matrix), -1 if digits.size else 0), text[:, len(prefix) :])
    return text


def copy_rows(source: Bytes, target: Bytes) -> None:
    """Copies a matrix into another of its shape; the bytes of a row must lie together, the rows need not."""
    if source.size == 0:
        return
    # As one item a row is copied at once: five times faster than byte by byte.
    row = f"V{source.shape[1]}"
    target.view(row)[...] = source.view(row)


@cache
def keep_freed_memory() -> None:
    """Has the C library keep memory that arrays give back, for the next ones, instead of returning it page by page.

    Column by column the same arrays come and go; asking the kernel for them anew takes longer than filling them. Once
    a large block is freed, glibc keeps up to twice its size (mallopt(3), M_TRIM_THRESHOLD); others may do nothing.
    """
    np.empty(_KEPT_BYTES, np.uint8)


def _offset_type(column_type: pa.DataType) -> type[np.int32 | np.int64]:
    if pa.types.is_string(column_type) or pa.types.is_binary(column_type):
        return np.int32
    if pa.types.is_large_string(column_type) or pa.types.is_large_binary(column_type):
        return np.int64
    raise StrategyMisused(f"A {column_type} column holds neither text nor bytes.", not_done="Nothing was masked.")


def _offsets_of(column: pa.Array) -> npt.NDArray[np.int32 | np.int64]:
    """Views the offsets of a column of text or bytes, as wide as Arrow has them: (n + 1)."""
    offset_type = _offset_type(column.type)
    offsets = column.buffers()[1]
    if len(column) == 0 or offsets is None:
        return np.zeros(len(column) + 1, offset_type)
    return np.frombuffer(offsets, offset_type, len(column) + 1, column.offset * np.dtype(offset_type).itemsize)


def _bytes_of(buffer: pa.Buffer | None) -> Bytes:
    return np.empty(0, np.uint8) if buffer is None else np.frombuffer(buffer, np.uint8)


def gather(data: Bytes, starts: Rows, length: int) -> Bytes:
    """Returns the `length` bytes from each start on as one matrix, which may be a view of the data: read-only.

    Args:
        data: uint8 (n).
        starts: int64 (m), ascending; each start is followed by `length` bytes.
        length: columns of the matrix.
    """
    if length == 0 or len(starts) == 0:
        return np.empty((len(starts), length), np.uint8)
    first, last = int(starts[0]), int(starts[-1]) + length
    if last - first == len(starts) * length and (np.diff(starts) == length).all():
        return data[first:last].reshape(len(starts), length)
    if length >= _COPY_BY_ROW:
        matrix = np.empty((len(starts), length), np.uint8)
        for row, start in enumerate(starts.tolist()):
            matrix[row] = data[start : start + length]
        return matrix
    return _windows(data, length)[starts].view(np.uint8).reshape(len(starts), length)


def _windows(data: Bytes, length: int) -> npt.NDArray[np.void]:
    """Views every run of `length` bytes as one item, so NumPy copies a row at once, ten times faster than its bytes."""
    return np.ndarray((len(data) - length + 1,), f"V{length}", data, strides=(1,))


def _scatter(data: Bytes, starts: Rows, matrix: Bytes) -> None:
    """Copies each row of the matrix to its start; rows do not overlap."""
    count, length = matrix.shape
    if count == 0 or length == 0:
        return
    if length >= _COPY_BY_ROW:
        for row, start in enumerate(starts.tolist()):
            data[start : start + length] = matrix[row]
        return
    _windows(data, length)[starts] = np.ascontiguousarray(matrix).view(f"V{length}").reshape(count)
