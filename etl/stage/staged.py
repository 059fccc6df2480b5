"""What staging hands on: the manifest of a table's files and what was counted on the way."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal

from etl.plan import TablePlan
from etl.stage.quarantine import Quarantine


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
    """Returns the SHA-256 of names, generations and checksums, in hexadecimal."""
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
