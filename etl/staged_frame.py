"""Staged Parquet as a Spark DataFrame: workers read it with the storage client, so no Hadoop connector is needed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.parquet as pq
from pyspark.sql.pandas.types import from_arrow_schema

from etl.storage import Stage, StageTarget

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession


def staged_frame(
    spark: SparkSession, target: StageTarget, names: Sequence[str], schema: pa.Schema, columns: Sequence[str]
) -> DataFrame:
    """Gives some columns of staged files, one Spark partition a file, read whenever Spark asks for them.

    Args:
        spark: the session.
        target: the staging bucket.
        names: object names of the manifest.
        schema: the Arrow schema that every file must have.
        columns: the columns to read, in schema order.
    """
    wanted = pa.schema([schema.field(name) for name in columns])
    files = spark.sparkContext.parallelize([(name,) for name in names], len(names))
    frame = spark.createDataFrame(files, "name string")
    return frame.mapInArrow(_reader(target, schema, list(columns)), from_arrow_schema(wanted))


def _reader(
    target: StageTarget, schema: pa.Schema, columns: list[str]
) -> Callable[[Iterable[pa.RecordBatch]], Iterable[pa.RecordBatch]]:
    def read(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        stage = Stage(target)
        for batch in batches:
            for name in batch.column("name").to_pylist():
                with stage.open(name) as stream, pq.ParquetFile(stream, page_checksum_verification=True) as file:
                    if not file.schema_arrow.equals(schema):
                        raise ValueError("a staged file has another schema than its plan")
                    yield from file.iter_batches(columns=columns)

    return read
