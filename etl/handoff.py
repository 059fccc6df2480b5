"""The small frozen values that one step hands to the next."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal

import pyarrow as pa

from etl.quarantine import Quarantine
from masking.plan import MaskPlan
from schemas.contract import Contract


@dataclass(frozen=True)
class Window:
    """Business days (JST), inclusive, whose partitions a run replaces."""

    first: date
    last: date

    @classmethod
    def ending(cls, day: date, lookback_days: int) -> Window:
        """Gives the target day with the days before it that are read again for late rows."""
        return cls(day - timedelta(days=lookback_days), day)

    @property
    def days(self) -> tuple[date, ...]:
        """Every business day of the window, oldest first."""
        return tuple(self.first + timedelta(days=n) for n in range((self.last - self.first).days + 1))


@dataclass(frozen=True)
class Slice:
    """A part of a table that one Spark task reads.

    Attributes:
        number: from 0, unique within the table.
        where: SQL condition made of identifiers, timestamps of ours, and bounds of keys, which can be a row's own: it
            is not printed.
        partition: the only business day whose rows it holds; None where its rows are of no day, or of several.
        by: the column that `where` names, if it names one.
    """

    number: int
    where: str = field(repr=False)
    partition: date | None = None
    by: str | None = None


@dataclass(frozen=True)
class Changes:
    """Which rows of a merge table a run reads, by the column that tells when they changed.

    Attributes:
        column: the contract's watermark column.
        watermark: the latest change that is published; None where all rows are read and replace the table.
        overlap: how far before the watermark rows are read again, because they may have been committed late.
        until: when the run began; the next watermark is never later.
        closed: whether rows that changed after `until` are left to the next run, as slices see different states.
    """

    column: str
    watermark: datetime | None
    overlap: timedelta
    until: datetime
    closed: bool

    @property
    def after(self) -> datetime | None:
        """The instant after which changes are read; None where all rows are."""
        return self.watermark - self.overlap if self.watermark else None


@dataclass(frozen=True)
class TablePlan:
    """What will be read and what will come out, decided before a row is read.

    Attributes:
        window: the business days that are read; None where days do not choose rows.
        changes: of a merge table, which rows are read.
        keys: the plan of all keys of the source, where a merge also looks for rows that are gone.
    """

    contract: Contract
    window: Window | None
    mask: MaskPlan
    slices: tuple[Slice, ...]
    estimated_rows: int
    changes: Changes | None = None
    keys: TablePlan | None = None
    estimated_bytes: int = 0

    @property
    def merges(self) -> bool:
        """Whether the rows are merged into the table rather than replace it or parts of it."""
        return self.changes is not None and self.changes.watermark is not None

    @property
    def table(self) -> str:
        """The contract's table name."""
        return self.contract.table

    @property
    def output_schema(self) -> pa.Schema:
        """The Arrow schema of every staged file: masked columns, derived ones, then those that the load mode adds."""
        masked = self.mask.output_schema
        derived = [pa.field(name, self.contract.output_type(name)) for name in self.contract.derive]
        added = [pa.field(column.name, column.type) for column in self.contract.load.adds]
        return pa.schema([*masked, *derived, *added])


@dataclass(frozen=True)
class StagedFile:
    """One Parquet object that a slice finished.

    Attributes:
        crc32c: in base64, as Cloud Storage spells it.
        nulls: how many values of each column are NULL.
    """

    name: str
    partition: date | None
    rows: int
    bytes: int
    crc32c: str
    generation: int
    nulls: Mapping[str, int] = field(default_factory=dict)


def manifest_digest(files: Iterable[StagedFile]) -> str:
    """Gives the SHA-256 of names, generations and checksums, in hexadecimal."""
    lines = (f"{file.name} {file.generation} {file.crc32c}" for file in files)
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


@dataclass(frozen=True)
class Staged:
    """Everything a table staged: the manifest and what was counted on the way.

    Attributes:
        watermark: of a merge table, the latest change that is published once this stage is.
    """

    plan: TablePlan
    run_id: str
    files: tuple[StagedFile, ...]
    sums: Mapping[str, Decimal]
    nulled: Mapping[str, int]
    quarantine: Quarantine
    key_checks: Mapping[int, str]
    seconds: float
    peak_mib: int
    watermark: datetime | None = None

    @property
    def rows(self) -> int:
        """Rows in the manifest's files."""
        return sum(file.rows for file in self.files)

    @property
    def bytes(self) -> int:
        """Bytes in the manifest's files."""
        return sum(file.bytes for file in self.files)

    @property
    def nulls(self) -> dict[str, int]:
        """NULLs of each column in the manifest's files."""
        names = dict.fromkeys(name for file in self.files for name in file.nulls)
        return {name: sum(file.nulls.get(name, 0) for file in self.files) for name in names}

    @property
    def digest(self) -> str:
        """SHA-256 of the manifest: names, generations and checksums of its files."""
        return manifest_digest(self.files)


@dataclass(frozen=True)
class Published:
    """What BigQuery confirmed."""

    rows: int
    partitions: int
    job_ids: tuple[str, ...]
    seconds: float
    keys_compared: int | None = None
    deleted: int = 0


@dataclass(frozen=True)
class FailedCheck:
    """One check that did not hold: names and counts; `failed` and `checked` are None for a whole table."""

    name: str
    severity: str
    failed: int | None = None
    checked: int | None = None
    note: str = ""

    @property
    def stops(self) -> bool:
        """Whether it keeps its table from being published."""
        return self.severity == "blocking" and not self.note.startswith("waived")


@dataclass(frozen=True)
class TableResult:
    """How one table of a run ended; every field is a count, a name or a time."""

    table: str
    outcome: str
    rows: int = 0
    columns: int = 0
    masked_columns: int = 0
    bytes: int = 0
    expectations: int = 0
    expectations_passed: int = 0
    partitions: int = 0
    seconds: float = 0.0
    peak_mib: int = 0
    error: str = ""
    exit_code: int = 0
    job_ids: tuple[str, ...] = field(default=())
    quarantined: int = 0
    keys_compared: int | None = None
    deleted: int = 0
    failed_checks: tuple[FailedCheck, ...] = ()
