"""One slice's masked batches become one staged Parquet file, counted and summed on the way."""

from __future__ import annotations

import io
import uuid
from collections.abc import Iterable
from decimal import Decimal
from typing import Final

import pyarrow as pa
import pyarrow.parquet as pq

from etl.cloud.storage import StagingBucket
from etl.source import Slice
from etl.stage.quarantine import column_sums
from etl.stage.staged import StagedFile

_ROW_GROUP_BYTES: Final = 64 * 1024 * 1024


def write_slice(
    stage: StagingBucket,
    folder: str,
    part: Slice,
    schema: pa.Schema,
    summed: Iterable[str],
    batches: Iterable[pa.RecordBatch],
) -> tuple[StagedFile, dict[str, Decimal]]:
    """Writes batches, as they come, into an object of a name of its own; gives it and the sums of some columns.

    Args:
        stage: the staging bucket.
        folder: the run's folder of the table.
        part: the slice.
        schema: of the file, and of every batch but for its encoding: all batches encode the same columns.
        summed: numeric columns to add up.
        batches: masked rows.
    """
    day = part.partition.strftime("%Y%m%d") if part.partition else "all"
    writer = stage.create(f"{folder}/{day}/slice-{part.number:05d}-{uuid.uuid4().hex[:8]}.parquet")
    sums = dict.fromkeys(summed, Decimal(0))
    rows, nulls = 0, dict.fromkeys(schema.names, 0)
    try:
        coming = iter(batches)
        batch = next(coming, None)
        with _parquet(writer, schema if batch is None else batch.schema) as parquet:
            while batch is not None:
                rows += batch.num_rows
                for name, amount in column_sums(batch, sums).items():
                    sums[name] += amount
                for name in schema.names:
                    nulls[name] += batch.column(name).null_count
                parquet.write_batch(batch, row_group_size=_row_group_rows(batch))
                batch = None  # before the next is read: memory holds one
                batch = next(coming, None)
    except BaseException:
        writer.abort()
        raise
    stored = writer.finish()
    file = StagedFile(
        name=stored.name,
        partition=part.partition,
        rows=rows,
        bytes=stored.bytes,
        crc32c=stored.crc32c,
        generation=stored.generation,
        nulls=nulls,
    )
    return file, sums


def _parquet(sink: io.RawIOBase, schema: pa.Schema) -> pq.ParquetWriter:
    """Opens a file whose dictionary pages are of columns that come encoded; a reader sees no difference.

    Statistics are kept of dates and instants alone: nothing asks for those of other columns.
    """
    encoded = [field.name for field in schema if pa.types.is_dictionary(field.type)]
    dated = [field.name for field in schema if pa.types.is_temporal(field.type)]
    return pq.ParquetWriter(
        sink,
        schema,
        compression="zstd",
        compression_level=1,
        use_dictionary=encoded,
        write_statistics=dated,
        write_page_checksum=True,
        store_schema=False,  # or readers would encode the columns, too
    )


def _row_group_rows(batch: pa.RecordBatch) -> int:
    return max(1, int(batch.num_rows) * _ROW_GROUP_BYTES // max(1, int(batch.nbytes)))
