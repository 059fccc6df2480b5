"""The worker's task: one slice is read, masked, gated, written as Parquet and uploaded. Raw values end here.

Nothing of a raw batch outlives the loop's turn: no Spark row, no cache, no file.
"""

from __future__ import annotations

import resource
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import lru_cache
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from etl.errors import NOT_PUBLISHED, TRANSIENT, LeakFound, Unexpected, ValuesUnfit
from etl.handoff import Slice, StagedFile
from etl.keys import open_keyring
from etl.quarantine import Quarantine, column_sums, quarantined
from etl.source.read import ReadColumn, read_slice
from etl.source.snapshot import Snapshot
from etl.storage import Stage, StageTarget
from masking.errors import KagemushaError
from masking.keyring import KeyRef, Keyring
from masking.leaks import LeakKind, find_leaks
from masking.plan import MaskPlan, SetAside
from schemas.derive import business_date

TRIES: Final = 3
"""How often a slice is tried while its failures are transient."""
_ROW_GROUP_BYTES: Final = 64 * 1024 * 1024
_LOOKS_LIKE: Final = {
    LeakKind.PAN: "card numbers",
    LeakKind.TRACK: "magnetic stripe data",
    LeakKind.MY_NUMBER: "My Numbers",
    LeakKind.EMAIL: "e-mail addresses",
    LeakKind.PHONE: "phone numbers",
}


@dataclass(frozen=True)
class TableTask:
    """All that a worker needs to stage any slice of a table; it pickles, and holds no key, password or value."""

    table: str
    source: str
    columns: tuple[ReadColumn, ...]
    mask: MaskPlan
    derive: Mapping[str, str]
    row_key: tuple[str, ...]
    sums: tuple[str, ...]
    partition_by: str | None
    output_schema: pa.Schema
    snapshot: Snapshot
    key: KeyRef
    target: StageTarget
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


def stage_slice(task: TableTask, part: Slice) -> StagedSlice | KagemushaError:
    """Stages one slice; gives the error instead of raising it, so that no traceback reaches Spark's logs."""
    failure: KagemushaError | None = None
    for _ in range(TRIES):
        failure = None
        try:
            return _stage_once(task, part)
        except KagemushaError as error:
            failure = error
        except Exception as error:  # noqa: BLE001  its message could quote a value: only its type is kept
            failure = Unexpected(
                f"A slice failed with {type(error).__name__}.", not_done=NOT_PUBLISHED, where={"step": "stage"}
            )
        if failure.exit_code != TRANSIENT:
            break
    if failure is None:
        raise AssertionError("a slice either returns or fails")
    return failure.at(table=task.table, slice=part.number)


def _stage_once(task: TableTask, part: Slice) -> StagedSlice:
    keys = open_keyring(task.key)
    stage = _stage(task.target)
    day = part.partition.strftime("%Y%m%d") if part.partition else "all"
    writer = stage.create(f"{task.folder}/{day}/slice-{part.number:05d}-{uuid.uuid4().hex[:8]}.parquet")
    sums = {name: Decimal(0) for name in task.sums}
    nulled: dict[str, int] = {}
    quarantine = Quarantine()
    rows = 0
    with pq.ParquetWriter(writer, task.output_schema, **_parquet_options(task)) as parquet:
        for batch, aside in _masked(task, part, keys, nulled):
            quarantine = quarantine.and_also([aside]).within(task.mask.budgets)
            rows += batch.num_rows
            for name, amount in column_sums(batch, task.sums).items():
                sums[name] += amount
            parquet.write_batch(batch, row_group_size=_row_group_rows(batch))
    stored = writer.finish()
    file = StagedFile(stored.name, part.partition, rows, stored.bytes, stored.crc32c, stored.generation)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    return StagedSlice(part.number, file, sums, nulled, quarantine, peak)


def _masked(
    task: TableTask, part: Slice, keys: Keyring, nulled: dict[str, int]
) -> Iterator[tuple[pa.RecordBatch, Quarantine]]:
    for raw in read_slice(task.snapshot, task.source, task.columns, part.where):
        masked = task.mask.mask(raw, keys)
        for name, count in masked.nulled.items():
            nulled[name] = nulled.get(name, 0) + count
        _gate(task, masked.batch)
        yield _derived(task, part, masked.batch), _set_aside(task, part, masked.aside)


def _set_aside(task: TableTask, part: Slice, aside: SetAside | None) -> Quarantine:
    """Gives rows that are left out as their masked keys and reasons; the keys pass the same gate as what is staged."""
    if aside is None:
        return Quarantine()
    rows = _derived(task, part, aside.batch)
    _gate(task, rows.select(list(task.row_key)))
    strategies = {rule.name: rule.strategy.strategy for rule in task.mask.rules}
    reasons = [{column: strategies[column] for column in columns} for columns in aside.columns]
    return quarantined(rows, reasons, task.row_key, task.sums)


def _gate(task: TableTask, batch: pa.RecordBatch) -> None:
    leaks = find_leaks(batch, {rule.name: rule.allowed_leaks for rule in task.mask.rules})
    if leaks:
        found = "; ".join(f"{leak.count} values of {leak.column} look like {_LOOKS_LIKE[leak.kind]}" for leak in leaks)
        raise LeakFound(f"{found}.", not_done=NOT_PUBLISHED, where={"table": task.table})


def _derived(task: TableTask, part: Slice, batch: pa.RecordBatch) -> pa.RecordBatch:
    dates = [business_date(batch.column(source)) for source in task.derive.values()]
    whole = pa.RecordBatch.from_arrays([*batch.columns, *dates], schema=task.output_schema)
    if task.partition_by and part.partition:
        _refuse_other_days(whole.column(task.partition_by), part.partition, task.partition_by)
    return whole


def _refuse_other_days(days: pa.Array, day: date, column: str) -> None:
    of_day = pc.sum(pc.equal(days, pa.scalar(day))).as_py() or 0
    if of_day != len(days):
        raise ValuesUnfit(
            f"{len(days) - of_day} rows of a slice do not belong to its business day by {column}.",
            not_done=NOT_PUBLISHED,
            advice="Report this: the window's condition and the derived date disagree.",
        )


def _row_group_rows(batch: pa.RecordBatch) -> int:
    return max(1, int(batch.num_rows) * _ROW_GROUP_BYTES // max(1, int(batch.nbytes)))


def _parquet_options(task: TableTask) -> dict[str, object]:
    # Tokens are all distinct and random: a dictionary or statistics of them cost time and gain nothing.
    plain = [field.name for field in task.output_schema if field.name not in task.mask.masked_columns]
    return {"compression": "zstd", "compression_level": 1, "use_dictionary": plain, "write_statistics": plain}


@lru_cache(maxsize=4)
def _stage(target: StageTarget) -> Stage:
    return Stage(target)
