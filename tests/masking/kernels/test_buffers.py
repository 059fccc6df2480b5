"""Columns as byte buffers and back."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from masking.errors import InvalidValues, StrategyMisused
from masking.kernels import buffers
from masking.kernels.buffers import ByteStrings, Ragged, assemble, hex_strings, strings_from_matrix

VALUES = st.lists(st.none() | st.binary(max_size=20), max_size=60)


def rows_of(column: pa.Array | pa.ChunkedArray, **limits: int) -> list[bytes | None]:
    """Reads a column through its groups, and proves that no row comes twice."""
    strings = ByteStrings.from_arrow(column)
    found: list[bytes | None] = [None] * len(strings)
    for rows, matrix in strings.groups(**limits):
        assert len(rows) == len(matrix) > 0
        for row, value in zip(rows.tolist(), matrix, strict=True):
            assert found[row] is None
            found[row] = value.tobytes()
    return found


@given(VALUES, st.integers(0, 5), st.sampled_from(["binary", "large", "dictionary"]))
def test_groups_give_every_valid_row_once(values: list[bytes | None], skip: int, layout: str) -> None:
    """Every valid row comes once with its own bytes, in any layout of the column."""
    column = pa.array(values, pa.large_binary() if layout == "large" else pa.binary())
    column = column.dictionary_encode() if layout == "dictionary" else column
    assert rows_of(column.slice(skip)) == values[skip:]
    assert rows_of(pa.chunked_array([column, column.slice(skip)])) == values + values[skip:]


@given(VALUES, st.integers(0, 5), st.integers(1, 64), st.sampled_from([pa.binary(), pa.large_binary()]))
def test_pieces_hold_the_whole_column_in_order(
    values: list[bytes | None], skip: int, size: int, layout: pa.DataType
) -> None:
    """Piece by piece every row comes once, in order, and no piece but one of one row is longer than asked for."""
    column = pa.array(values, layout).slice(skip)
    found: list[bytes] = []
    for first, piece in ByteStrings.pieces(column, size):
        assert first == len(found)
        assert len(piece.data) == piece.offsets[-1]
        assert len(piece) == 1 or len(piece.data) <= size
        bounds = piece.offsets.tolist()
        found += [piece.data[low:high].tobytes() for low, high in pairwise(bounds)]
    assert found == [value or b"" for value in values[skip:]]


@given(VALUES, st.integers(1, 4), st.integers(1, 64))
def test_pieces_stay_within_their_limits(values: list[bytes | None], most_rows: int, most_bytes: int) -> None:
    """No piece has more rows or bytes than asked for, except one row that alone has more bytes."""
    strings = ByteStrings.from_arrow(pa.array(values, pa.binary()))
    for rows, matrix in strings.groups(piece_rows=most_rows, piece_bytes=most_bytes):
        assert len(rows) <= most_rows
        assert matrix.size <= most_bytes or len(rows) == 1
    assert rows_of(pa.array(values, pa.binary()), piece_rows=most_rows, piece_bytes=most_bytes) == values


@pytest.mark.parametrize("count", [buffers.WINDOW_ROWS - 1, buffers.WINDOW_ROWS, 2 * buffers.WINDOW_ROWS + 1])
def test_columns_longer_than_a_window(count: int) -> None:
    """Rows on both sides of a window's edge are all there."""
    values = [str(i).encode() for i in range(count)]
    assert rows_of(pa.array(values)) == values


def test_fixed_width_and_text_columns() -> None:
    """Fixed-width binary, text and empty columns are read as bytes."""
    assert rows_of(pa.array([b"ab", None, b"cd"], pa.binary(2)).slice(1)) == [None, b"cd"]
    assert rows_of(pa.array(["é", None, ""])) == ["é".encode(), None, b""]
    assert rows_of(pa.array([], pa.string())) == []
    assert rows_of(pa.chunked_array([], pa.string())) == []
    assert rows_of(pa.array([None, None], pa.string())) == [None, None]


@pytest.mark.parametrize("kind", [pa.int64(), pa.bool_(), pa.list_(pa.string()), pa.date32()])
def test_other_types_are_refused(kind: pa.DataType) -> None:
    """A column without text or bytes is refused by its type."""
    with pytest.raises(StrategyMisused, match="neither text nor bytes"):
        ByteStrings.from_arrow(pa.array([None], kind))


def test_a_long_value_among_short_ones_takes_memory_once() -> None:
    """A value of 10 MB beside short ones comes as a piece of its own; the short ones are not padded to it."""
    values = [b"a", b"x" * 10_000_000, None, b"b"]
    sizes = [matrix.size for _, matrix in ByteStrings.from_arrow(pa.array(values, pa.binary())).groups()]
    assert sorted(sizes) == [2, 10_000_000]
    assert rows_of(pa.array(values, pa.binary())) == values


def test_repr_shows_no_value() -> None:
    """Neither print nor a debugger shows the bytes of a column."""
    assert repr(ByteStrings.from_arrow(pa.array(["4111111111111111"]))) == "ByteStrings(rows=1)"


@given(VALUES)
def test_assemble_writes_what_groups_read(values: list[bytes | None]) -> None:
    """Groups written back give the column; rows of no group are null."""
    texts = [None if value is None else value.hex() for value in values]
    column = assemble(len(texts), ByteStrings.from_arrow(pa.array(texts, pa.string())).groups())
    column.validate(full=True)
    assert column.to_pylist() == texts


@given(VALUES)
def test_ragged_columns_in_any_order(values: list[bytes | None]) -> None:
    """Pieces placed out of order give the column, as bytes and as the next kernel's view; nulls take no room."""
    strings = ByteStrings.from_arrow(pa.array(values, pa.binary()))
    column = Ragged(strings.lengths, strings.valid)
    for rows, matrix in reversed(list(strings.groups(piece_rows=2))):
        column.place(rows, matrix)
    assert column.binary().to_pylist() == values
    assert rows_of(column.binary()) == values
    assert len(column.byte_strings().data) == sum(len(value) for value in values if value is not None)


def test_rows_nobody_wrote_are_zeros() -> None:
    """A forgotten row shows zeros, never old memory that could be a raw value."""
    column = Ragged(np.full(1000, 64, np.int64))
    assert column.binary().to_pylist() == [bytes(64)] * 1000


def test_matrices_become_strings() -> None:
    """Rows become strings or hexadecimal text with a prefix; null rows are null and leave no bytes behind."""
    matrix = np.array([[0x61, 0x62], [0x34, 0x31], [0x0A, 0xFF]], np.uint8)
    valid = np.array([True, False, True])
    assert strings_from_matrix(matrix[:2]).to_pylist() == ["ab", "41"]
    column = hex_strings(matrix, b"k1_", valid)
    assert column.to_pylist() == ["k1_6162", None, "k1_0aff"]
    assert b"3431" not in column.buffers()[2].to_pybytes()
    assert strings_from_matrix(matrix, np.array([True, False, False])).to_pylist() == ["ab", None, None]
    assert hex_strings(np.empty((0, 16), np.uint8)).to_pylist() == []


def test_a_batch_beyond_arrow_strings_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """More text than 32-bit offsets reach is refused with advice, not wrapped around."""
    monkeypatch.setattr(buffers, "_OFFSET_LIMIT", 100)
    with pytest.raises(InvalidValues, match=r"(?s)more than 2 GiB.*smaller batches"):
        hex_strings(np.zeros((51, 1), np.uint8))
