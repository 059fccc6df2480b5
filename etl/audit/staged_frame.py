"""Staged Parquet as a Spark DataFrame: workers read it with the storage client, so no Hadoop connector is needed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Final

import pyarrow as pa
from pyspark.sql.pandas.types import from_arrow_schema

from etl.audit.staged_file import batches_of, open_staged
from etl.cloud.storage import StagingLocation
from etl.errors import NOT_PUBLISHED, ValuesUnfit

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

_MOST_PARTS: Final = 512


def staged_frame(
    spark: SparkSession,
    target: StagingLocation,
    names: Sequence[str],
    schema: pa.Schema,
    columns: Sequence[str],
    parts: int | None = None,
) -> DataFrame:
    """Returns some columns of staged files, read whenever Spark asks for them.

    The rows that Spark hands to the readers are numbers of files: a range that the JVM makes itself, so no Python
    worker is asked twice.

    Args:
        spark: the session.
        target: the staging bucket.
        names: object names of the manifest.
        schema: the Arrow schema that every file must have.
        columns: the columns to read, in schema order.
        parts: Spark partitions, of about as many files each; one a file when None, up to some hundreds: each task gets
            the names of all files. One part needs no shuffle at all.
    """
    wanted = pa.schema([schema.field(name) for name in columns])
    numbers = spark.range(0, len(names), 1, parts or min(len(names), _MOST_PARTS))
    return numbers.mapInArrow(_reader(target, tuple(names), schema, list(columns)), from_arrow_schema(wanted))


def _reader(
    target: StagingLocation, names: tuple[str, ...], schema: pa.Schema, columns: list[str]
) -> Callable[[Iterable[pa.RecordBatch]], Iterable[pa.RecordBatch]]:
    def read(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for batch in batches:
            for number in batch.column("id").to_pylist():
                yield from read_columns(target, names[number], schema, columns)

    return read


def read_columns(target: StagingLocation, name: str, schema: pa.Schema, columns: list[str]) -> Iterator[pa.RecordBatch]:
    """Yields the named columns of one staged file, batch by batch.

    Raises:
        ValuesUnfit: the file has another schema than its plan.
    """
    with open_staged(target, name) as (file, _):
        if not file.schema_arrow.equals(schema):
            raise ValuesUnfit("A staged file has another schema than its plan.", not_done=NOT_PUBLISHED)
        yield from batches_of(target, file, columns)
