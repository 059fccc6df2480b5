"""A staged file read back as Parquet; what is not there, or not whole, was changed by somebody else since."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import BinaryIO, Final

import pyarrow as pa
import pyarrow.parquet as pq
from google.api_core.exceptions import NotFound

from etl.cloud.failures import replacing
from etl.cloud.storage import StagingLocation, translated_storage
from etl.errors import NOT_PUBLISHED
from etl.stage import StageChanged, worker_stage
from masking.errors import KagemushaError

_CHANGED: Final = (NotFound, pa.lib.ArrowException, OSError)


@contextmanager
def open_staged(location: StagingLocation, name: str) -> Iterator[tuple[pq.ParquetFile, BinaryIO]]:
    """Yields a staged file, whose pages are held to their checksums, and its bytes; its footer is read.

    Args:
        location: the staging bucket.
        name: the object's.

    Raises:
        StageChanged: it is gone, or is no whole Parquet file.
        StorageUnavailable: storage did not give it.
    """
    with ExitStack() as open_ones:
        with translated_file(location):
            stream = open_ones.enter_context(worker_stage(location).open(name))
            file = pq.ParquetFile(stream, page_checksum_verification=True)
            open_ones.enter_context(file)
        yield file, stream


def batches_of(location: StagingLocation, file: pq.ParquetFile, columns: list[str]) -> Iterator[pa.RecordBatch]:
    """Yields some columns of an opened file; memory holds one row group's pages.

    Args:
        location: the staging bucket, for errors.
        file: see `open_staged`.
        columns: which.

    Raises:
        StageChanged: its bytes are not those of a whole file.
        StorageUnavailable: storage did not give them.
    """
    with translated_file(location):
        yield from file.iter_batches(columns=columns, use_threads=False)


@contextmanager
def translated_file(location: StagingLocation) -> Iterator[None]:
    """Turns failures to read a staged file inside the block into ours: see `batches_of`."""
    with translated_storage(location.bucket, "read a staged object"), replacing(_CHANGED, _as_ours):
        yield


def _as_ours(error: BaseException) -> KagemushaError:
    if isinstance(error, OSError) and (type(error) is not OSError or error.errno is not None):
        raise error  # of the way to storage; Arrow's own, as of a checksum, is a plain one without a number
    how = "is gone" if isinstance(error, NotFound) else "is no whole Parquet file"
    return StageChanged(f"A staged file {how}: it is not what was staged.", not_done=NOT_PUBLISHED)
