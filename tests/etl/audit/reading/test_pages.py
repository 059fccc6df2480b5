"""What page headers say of a column chunk: a dictionary's size where all rows go by it, and else nothing."""

from __future__ import annotations

import io
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from etl.audit.reading.pages import dictionary_size
from etl.audit.reading.row_group import RowGroup


def chunk(values: list[str | None], **how: Any) -> bytes:
    """Returns the bytes of a column chunk as Arrow writes it."""
    sink = io.BytesIO()
    pq.write_table(pa.table({"c": values}), sink, **{"store_schema": False, **how})
    footer = pq.read_metadata(sink)
    group = RowGroup.of(sink, footer.row_group(0))
    return group.chunk(group.columns[0])


SMALL_PAGES = {"data_page_size": 100, "write_batch_size": 20}


@pytest.mark.parametrize(
    "how",
    [
        {},
        {"data_page_version": "2.0"},
        {"compression": "zstd", "write_page_checksum": True},
        {"write_statistics": False, **SMALL_PAGES},
        {"write_page_index": True, **SMALL_PAGES},
    ],
    ids=["version 1", "version 2", "zstd and checksums", "many pages", "page index"],
)
def test_a_dictionary_says_its_size(how: dict[str, Any]) -> None:
    """Whatever the version, the compression and the number of pages: the values of the dictionary, NULL not counted."""
    assert dictionary_size(chunk(["a", "b", None, "c"] * 300, **how)) == 3
    assert dictionary_size(chunk([None, None], **how)) == 0


def test_rows_that_go_by_no_dictionary_are_told() -> None:
    """No dictionary at all, and one that the writer gave up in the middle of a chunk."""
    assert dictionary_size(chunk(["a", "b"], use_dictionary=False)) is None
    given_up = chunk([f"{number:0100}" for number in range(900)], dictionary_pagesize_limit=1_000, **SMALL_PAGES)
    assert dictionary_size(given_up) is None


def test_a_chunk_that_ends_too_soon_is_not_read_here() -> None:
    """Arrow says what is wrong with it; of its dictionary nothing is believed."""
    whole = chunk(["a", "b", "a"] * 20)
    assert dictionary_size(whole) == 2
    assert [dictionary_size(whole[:length]) for length in range(len(whole))] == [None] * len(whole)


@given(content=st.binary(max_size=60), place=st.integers(0, 30))
def test_foreign_bytes_are_no_error(content: bytes, place: int) -> None:
    """Whatever stands where a page header should be, the answer is a number or nothing, and comes at once."""
    whole = chunk(["a", "b", "a"])
    for changed in (content, whole[:place] + content + whole[place + len(content) :]):
        found = dictionary_size(changed)
        assert found is None or isinstance(found, int)
