"""The worker's task: one slice is read, masked, gated, written as Parquet and uploaded. Raw values end here.

Nothing of a raw batch outlives the loop's turn: no Spark row, no cache, no file.
"""

from __future__ import annotations

import itertools
import resource
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal

import pyarrow as pa
import pyarrow.compute as pc

from etl.cloud.storage import StagingLocation
from etl.errors import NOT_PUBLISHED, ValuesUnfit
from etl.keys import open_keyring
from etl.retries import as_value
from etl.source import Changes, Definition, ReadColumn, Slice, Snapshot, read_slice, without_flags
from etl.stage.leak_gate import refuse_leaks
from etl.stage.quarantine import Quarantine, quarantined
from etl.stage.slice_file import write_slice
from etl.stage.staged import StagedFile
from etl.stage.worker import worker_stage
from masking.dates import LAST_DAY
from masking.errors import KagemushaError
from masking.keyring import KeyRef, Keyring
from masking.plan import MaskPlan, SetAside
from masking.repeats import with_repeats_encoded
from schemas.business_days import business_date
from schemas.loads import SNAPSHOT_DATE


@dataclass(frozen=True)
class TableTask:
    """All that a worker needs to stage any slice of a table; it pickles, and holds no key, password or value."""

    table: str
    source: str
    definition: Definition | None
    columns: tuple[ReadColumn, ...]
    mask: MaskPlan
    derive: Mapping[str, str]
    row_key: tuple[str, ...]
    sums: tuple[str, ...]
    partition_by: str | None
    added: tuple[str, ...]
    changes: Changes | None
    output_schema: pa.Schema
    snapshot: Snapshot
    key: KeyRef
    target: StagingLocation
    folder: str


@dataclass(frozen=True)
class StagedSlice:
    """What one slice staged: its file, and counts."""

    slice: int
    file: StagedFile
    sums: Mapping[str, Decimal]
    nulled: Mapping[str, int]
    quarantine: Quarantine
    peak_mib: int
    watermark: datetime | None
    tries: int = 1


def stage_slice(task: TableTask, part: Slice) -> StagedSlice | KagemushaError:
    """Stages one slice; gives the error instead of raising it, so that no traceback reaches Spark's logs."""
    tries = itertools.count(1)

    def once() -> StagedSlice:
        number = next(tries)
        return replace(_read_and_stage(task, part), tries=number)

    return as_value(once, table=task.table, slice=part.number)


def _read_and_stage(task: TableTask, part: Slice) -> StagedSlice:
    raw = read_slice(task.snapshot, task.source, task.columns, part.where, task.definition)
    return stage_batches(task, part, raw)


def stage_batches(task: TableTask, part: Slice, raw: Iterable[pa.RecordBatch]) -> StagedSlice:
    """Masks, gates, writes and uploads the raw batches of one slice, wherever they were read.

    Args:
        task: of the table.
        part: the slice.
        raw: batches of the contract's types, in the order of the task's columns.

    Raises:
        KagemushaError: see the steps.
    """
    keys = open_keyring(task.key)
    nulled: dict[str, int] = {}
    left_out: list[Quarantine] = []
    latest: list[datetime] = []
    batches = _noted(task.changes, _masked(task, part, raw, keys, nulled, left_out), latest)
    stage = worker_stage(task.target)
    file, sums = write_slice(stage, task.folder, part, task.output_schema, task.sums, batches)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    return StagedSlice(
        slice=part.number,
        file=file,
        sums=sums,
        nulled=nulled,
        quarantine=Quarantine().and_also(left_out),
        peak_mib=peak,
        watermark=max(latest, default=None),
    )


def _noted(
    changes: Changes | None, batches: Iterable[pa.RecordBatch], latest: list[datetime]
) -> Iterator[pa.RecordBatch]:
    """Returns the batches as they are, noting each one's latest change; what lies in the future is no watermark."""

    def note(batch: pa.RecordBatch) -> pa.RecordBatch:
        if changes is not None:
            changed = batch.column(changes.name)
            until = pa.scalar(changes.until, changed.type)
            found = pc.max(changed.filter(pc.less_equal(changed, until))).as_py()
            latest.extend([found] if found else [])
        return batch

    return map(note, batches)


def _masked(
    task: TableTask,
    part: Slice,
    raw: Iterable[pa.RecordBatch],
    keys: Keyring,
    nulled: dict[str, int],
    left_out: list[Quarantine],
) -> Iterator[pa.RecordBatch]:
    """Returns the batches masked and proven; a generator would keep each one while the next is read."""
    read = 0

    def mask(batch: pa.RecordBatch) -> pa.RecordBatch:
        nonlocal read
        read += batch.num_rows
        rows, unfit = without_flags(batch)
        masked = task.mask.mask(rows, keys, unfit, encoded=True)
        for name, count in masked.nulled.items():
            nulled[name] = nulled.get(name, 0) + count
        if masked.aside is not None:
            left_out.append(_set_aside(task, part, masked.aside))
            Quarantine().and_also(left_out).within(task.mask.budgets)
        refuse_leaks(masked.batch, task.mask.allowed, task.mask.own_iins, read)
        return _derived(task, part, masked.batch)

    return map(mask, with_repeats_encoded(raw, task.mask.texts))


def _set_aside(task: TableTask, part: Slice, aside: SetAside) -> Quarantine:
    """Returns the masked keys and reasons of rows left out; the keys pass the same gate as what is staged."""
    rows = _derived(task, part, aside.batch)
    refuse_leaks(rows.select(list(task.row_key)), task.mask.allowed, task.mask.own_iins)
    strategies = {rule.name: rule.strategy.strategy for rule in task.mask.rules}
    reasons = [{column: strategies[column] for column in columns} for columns in aside.columns]
    return quarantined(rows, reasons, task.row_key, task.sums)


def _derived(task: TableTask, part: Slice, batch: pa.RecordBatch) -> pa.RecordBatch:
    dates = [_business_dates(batch, name, source) for name, source in task.derive.items()]
    added = [_added(task, part, name, batch.num_rows) for name in task.added]
    whole = pa.RecordBatch.from_arrays([*batch.columns, *dates, *added], names=task.output_schema.names)
    if task.partition_by and part.partition:
        _refuse_other_days(whole.column(task.partition_by), part.partition, task.partition_by)
    return whole


def _business_dates(batch: pa.RecordBatch, name: str, source: str) -> pa.Array:
    """Returns the days in Japan of a column, none of them after the last one that BigQuery has.

    Raises:
        ValuesUnfit: there are some, such as that of 9999-12-31 23:59:59 UTC.
    """
    days = business_date(batch.column(source))
    late = pc.sum(pc.greater(days.cast(pa.int32()), LAST_DAY)).as_py() or 0
    if late:
        raise ValuesUnfit(
            f"{late} values of {source} are in Japan on a day after 9999-12-31, which {name} cannot hold.",
            not_done=NOT_PUBLISHED,
            advice=f"Correct the rows at the source, or take {name} out of `derive:`.",
            where={"column": source},
        )
    return days


def _added(task: TableTask, part: Slice, name: str, rows: int) -> pa.Array:
    """Returns a column of the load mode: the day of a snapshot; of a row that was read, nobody has seen a delete."""
    kind = task.output_schema.field(name).type
    return pa.repeat(pa.scalar(part.partition, kind), rows) if name == SNAPSHOT_DATE else pa.nulls(rows, kind)


def _refuse_other_days(days: pa.Array, day: date, column: str) -> None:
    of_day = pc.sum(pc.equal(days, pa.scalar(day))).as_py() or 0
    if of_day != len(days):
        raise ValuesUnfit(
            f"{len(days) - of_day} rows of a slice do not belong to its business day by {column}.",
            not_done=NOT_PUBLISHED,
            advice="Report this: the window's condition and the derived date disagree.",
        )
