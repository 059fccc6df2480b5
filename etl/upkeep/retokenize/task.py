"""The worker's part of a retokenization: published rows are read back, their tokens renewed, and staged anew.

A value is in the clear between two ciphers only, in the memory of one worker, for one batch.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from decimal import Decimal

import pyarrow as pa

from etl.cloud.bigquery import Warehouse
from etl.cloud.storage import StagingLocation
from etl.errors import NOT_PUBLISHED, ValuesUnfit
from etl.keys import open_keyring
from etl.retries import as_value
from etl.settings import BigQuerySettings
from etl.source import Slice
from etl.stage import StagedFile, refuse_leaks, worker_stage, write_slice
from masking.errors import KagemushaError
from masking.keyring import KeyRef, Keyring
from masking.leaks import Allowed, OwnIins
from masking.retoken import current_tokens, retokened
from masking.strategies import KeyedStrategy

MAP_SCHEMA = pa.schema([("version", pa.int64()), ("token", pa.string()), ("current", pa.string())])
"""A token map: the key version and the token that were, and the token that is."""


@dataclass(frozen=True)
class RetokenTask:
    """All that a worker needs to renew the tokens of any slice of a table; it pickles, and holds no key or value.

    Attributes:
        name: of the table, for errors.
        select: the query without its condition; a slice's `where` completes it.
        schema: of the staged file.
        strategies: token column → its strategy.
        allowed: what the leak gate lets pass.
        sums: columns to add up.
        warehouse: where to read.
        key: pins the primary version.
        target: where to stage.
        folder: the run's folder of the table.
        own_iins: the issuer's own IINs.
    """

    name: str
    select: str
    schema: pa.Schema
    strategies: Mapping[str, KeyedStrategy]
    allowed: Mapping[str, Allowed]
    sums: tuple[str, ...]
    warehouse: BigQuerySettings
    key: KeyRef
    target: StagingLocation
    folder: str
    own_iins: OwnIins = ()


@dataclass(frozen=True)
class RestagedSlice:
    """What one slice staged: its file, and sums."""

    file: StagedFile
    sums: Mapping[str, Decimal]


RestageOutcome = RestagedSlice | KagemushaError


def restage_slice(task: RetokenTask, part: Slice) -> RestageOutcome:
    """Stages a slice of a table with its tokens under the primary version; gives errors instead of raising them."""
    return as_value(lambda: _restaged(task, part, _renewed), table=task.name, slice=part.number)


def stage_map(task: RetokenTask, part: Slice) -> RestageOutcome:
    """Stages a token map: `version` and `token` are read, `current` is what the token has become."""
    return as_value(lambda: _restaged(task, part, _mapped), map=task.name)


Change = Callable[[RetokenTask, Keyring, pa.RecordBatch], pa.RecordBatch]


def _restaged(task: RetokenTask, part: Slice, change: Change) -> RestagedSlice:
    keys = open_keyring(task.key)
    rows = Warehouse(task.warehouse, task.target.google).batches(f"{task.select} WHERE {part.where}")
    batches = _changed(task, keys, rows, change)
    stage = worker_stage(task.target)
    return RestagedSlice(*write_slice(stage, task.folder, part, task.schema, task.sums, batches))


def _changed(
    task: RetokenTask, keys: Keyring, rows: Iterable[pa.RecordBatch], change: Change
) -> Iterator[pa.RecordBatch]:
    for batch in rows:
        changed = change(task, keys, batch)
        refuse_leaks(changed, task.allowed, task.own_iins)
        yield changed


def _renewed(task: RetokenTask, keys: Keyring, batch: pa.RecordBatch) -> pa.RecordBatch:
    return retokened(_fit(batch, task.schema), task.strategies, keys, task.own_iins)


def _mapped(task: RetokenTask, keys: Keyring, batch: pa.RecordBatch) -> pa.RecordBatch:
    (strategy,) = task.strategies.values()
    versions, tokens = batch.column("version"), batch.column("token")
    current = current_tokens(tokens, versions.to_numpy(), strategy, keys, task.own_iins)
    return pa.RecordBatch.from_arrays([versions, tokens, current], schema=MAP_SCHEMA)


def _fit(batch: pa.RecordBatch, schema: pa.Schema) -> pa.RecordBatch:
    """Returns BigQuery's types as the contract's, value for value."""
    columns = []
    for field in schema:
        fitted = None
        with suppress(pa.ArrowException):  # Arrow's message quotes the value
            fitted = batch.column(field.name).cast(field.type)
        if fitted is None:
            raise ValuesUnfit(
                f"Published values of {field.name} do not fit the contract's type.",
                not_done=NOT_PUBLISHED,
                where={"column": field.name},
            )
        columns.append(fitted)
    return pa.RecordBatch.from_arrays(columns, schema=schema)
