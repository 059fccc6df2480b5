"""Load modes: what a run reads of a table, what it replaces, and which columns the mode itself publishes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Final, Literal

import pyarrow as pa
from pydantic import Field

from schemas.reviewed import Name, Reviewed
from schemas.words import Text

SNAPSHOT_DATE: Final = "snapshot_date"
DELETED_AT: Final = "deleted_at"
_FEW: Final = 10
"""So many rows may go whatever their share, unless nothing is left: small tables lose rows too."""


@dataclass(frozen=True)
class AddedColumn:
    """A published column that no source column gives: the load mode sets it."""

    name: str
    type: pa.DataType
    about: Text


class LoadMode(Reviewed):
    """What every mode tells: the column that partitions the published table, and the columns that it adds."""

    @property
    def partition_by(self) -> str | None:
        """The published DATE column that partitions the table by day; None where it has no partitions."""
        return None

    @property
    def adds(self) -> tuple[AddedColumn, ...]:
        """The columns that the mode publishes beside the contract's own."""
        return ()


class FullLoad(LoadMode):
    """Every run reads the whole table and replaces the published one in one step."""

    mode: Literal["full"]


class PartitionLoad(LoadMode):
    """A run reads the business days of its window and replaces each day's partition."""

    mode: Literal["partition"]
    by: Name = Field(description="The published DATE column that partitions the table: a business date or a kept date.")
    lookback_days: int = Field(
        0, ge=0, le=400, description="Days before the target day that are read again for late rows."
    )

    @property
    def partition_by(self) -> str | None:
        """The column of `by`."""
        return self.by


class MergeLoad(LoadMode):
    """A run reads the rows that changed since the last one, and merges them into the published table by its key.

    The first load, and the first one after the contract or the primary key version changed, replaces the whole table.
    """

    mode: Literal["merge"]
    watermark: Name = Field(
        description="The kept timestamp column that every change of a row moves forward, such as updated_at."
    )
    overlap_minutes: int = Field(
        60,
        ge=1,
        le=44_640,
        description="How far before the last watermark a run reads again, for changes that were committed late: more "
        "than the longest transaction and the replica's lag together.",
    )
    deletes: Literal["soft", "hard", "ignore"] = Field(
        description="What becomes of rows that the source deleted: deleted_at is set, the row is deleted, or it stays."
    )
    reconcile_keys: int | None = Field(
        None,
        ge=1,
        le=366,
        description="Every how many days all keys are compared, which finds deleted rows; needed for soft and hard.",
    )
    most_deletes: float = Field(
        0.1,
        gt=0,
        le=1,
        description="The share of the published rows that one run may delete; more need `run --accept-deletes`.",
    )
    by: Name | None = Field(
        None, description="The published DATE column that partitions the table; changes then touch few partitions."
    )

    def deletable(self, published: int) -> int:
        """Returns how many of so many published rows one run may delete, unless nothing would be left."""
        return max(_FEW, int(published * self.most_deletes))

    @property
    def partition_by(self) -> str | None:
        """The column of `by`, where it is set."""
        return self.by

    @property
    def adds(self) -> tuple[AddedColumn, ...]:
        """`deleted_at`, where deletes are soft."""
        about = Text(
            "When a load found the row gone from the source; NULL while it is there.",
            "元のデータベースから行がなくなったことを取り込みが検知した時刻。残っている間は NULL。",
        )
        return (AddedColumn(DELETED_AT, pa.timestamp("us", "UTC"), about),) if self.deletes == "soft" else ()


class SnapshotLoad(LoadMode):
    """A run reads the whole table and keeps it as the state of its business day, beside those of earlier days."""

    mode: Literal["snapshot"]

    @property
    def partition_by(self) -> str | None:
        """The business day of the run."""
        return SNAPSHOT_DATE

    @property
    def adds(self) -> tuple[AddedColumn, ...]:
        """`snapshot_date`."""
        about = Text("The business day of the run that read this state.", "この状態を読み取った実行の営業日。")
        return (AddedColumn(SNAPSHOT_DATE, pa.date32(), about),)


Load = Annotated[FullLoad | PartitionLoad | MergeLoad | SnapshotLoad, Field(discriminator="mode")]
