"""A staged file holds what its batches held, however these were encoded, and has the planned schema."""

from __future__ import annotations

import random
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Final

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from etl.cloud.storage import StagingBucket, StagingLocation
from etl.source import Slice
from etl.stage import write_slice

pytestmark = pytest.mark.stack

SCHEMA: Final = pa.schema(
    [
        ("token", pa.string()),
        ("raw", pa.binary()),
        ("count", pa.int64()),
        ("share", pa.float64()),
        ("cost", pa.decimal128(38, 9)),
        ("open", pa.bool_()),
        ("day", pa.date32()),
        ("at", pa.timestamp("us", "UTC")),
        ("local", pa.timestamp("us")),
    ]
)
AT: Final = datetime(2023, 8, 31, 1, 2, 3, 4, tzinfo=UTC)
ROW: Final = (b"\xff", 2**63 - 1, -0.5, Decimal("0.000000001"), True, date(9999, 12, 31), AT, AT.replace(tzinfo=None))


def batch(tokens: list[str | None]) -> pa.RecordBatch:
    """Returns rows with these tokens."""
    others = [pa.array([value] * len(tokens), kind) for value, kind in zip(ROW, SCHEMA.types[1:], strict=True)]
    return pa.RecordBatch.from_arrays([pa.array(tokens, pa.string()), *others], schema=SCHEMA)


def encoded(plain: pa.RecordBatch) -> pa.RecordBatch:
    """Returns the rows with the tokens encoded."""
    return pa.record_batch([plain.column(0).dictionary_encode(), *plain.columns[1:]], names=SCHEMA.names)


def staged(location: StagingLocation, batches: list[pa.RecordBatch]) -> pq.ParquetFile:
    """Stages the batches and opens the file."""
    bucket = StagingBucket(location)
    file, sums = write_slice(bucket, f"{location.prefix}/slices", Slice(0, "TRUE"), SCHEMA, ["cost"], batches)
    assert file.rows == sum(rows.num_rows for rows in batches)
    assert file.nulls["token"] == sum(rows.column(0).null_count for rows in batches)
    assert sums == {"cost": file.rows * Decimal("0.000000001")}
    return pq.ParquetFile(pa.BufferReader(bucket.read(file.name)), page_checksum_verification=True)


def test_a_file_of_encoded_batches_is_read_as_one_of_plain_batches(location: StagingLocation) -> None:
    """Nulls, dictionaries that differ from batch to batch, and one of several megabytes: the same rows and schema."""
    drawn = random.Random(1)  # noqa: S311 - made-up values
    many = [f"k1_{drawn.getrandbits(400):0100x}" for _ in range(30_000)]
    plain = [batch(["b", None, "a", "b"]), batch(["c", "a", "a", None]), batch([None, None]), batch(many), batch([])]
    read = staged(location, [encoded(rows) for rows in plain])
    assert read.schema_arrow.equals(SCHEMA)
    assert read.read().equals(pa.Table.from_batches(plain))
    assert read.read().equals(staged(location, plain).read())


def test_a_slice_without_rows_has_the_planned_schema(location: StagingLocation) -> None:
    """No batch at all makes a file, too."""
    read = staged(location, [])
    assert read.schema_arrow.equals(SCHEMA)
    assert read.metadata.num_rows == 0


def test_statistics_are_kept_of_dates_and_instants_alone(location: StagingLocation) -> None:
    """The audit asks for the newest instant; nobody for the least token."""
    group = staged(location, [batch(["a", "b"])]).metadata.row_group(0)
    kept = {SCHEMA.names[n] for n in range(len(SCHEMA)) if group.column(n).statistics is not None}
    assert kept == {"day", "at", "local"}
