"""Which rows of a table a run reads: those that its load mode chooses for the day, or those that a person asked for."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING

from etl.clock import now
from etl.source import Changes
from schemas.business_days import Window
from schemas.contract import Contract
from schemas.loads import MergeLoad, PartitionLoad, SnapshotLoad

if TYPE_CHECKING:
    from etl.ledger import MergeState  # only its name: a worker that gets a plan needs no BigQuery client


@dataclass(frozen=True)
class Scope:
    """Which rows of a table one run reads.

    Attributes:
        day: the target business day (JST).
        began: when the run began; it comes before the snapshot.
        window: business days to load instead of the target day and its lookback.
        at_once: whether the window replaces the whole table in one step instead of day by day.
        standing: what is published of a merge table; None loads it whole.
    """

    day: date
    began: datetime = field(default_factory=now)
    window: Window | None = None
    at_once: bool = False
    standing: MergeState | None = None

    def days(self, contract: Contract) -> Window | None:
        """Returns the business days that are published; None where rows are not chosen or kept by days."""
        if isinstance(contract.load, PartitionLoad):
            return self.window or Window.ending(self.day, contract.load.lookback_days)
        return Window(self.day, self.day) if isinstance(contract.load, SnapshotLoad) else None

    def changes(self, contract: Contract, *, one_state: bool) -> Changes | None:
        """Returns which rows of a merge table are read; None for other modes.

        Args:
            contract: of the table.
            one_state: whether all slices see the same state; otherwise a run leaves rows that changed after it began.
        """
        load = contract.load
        if not isinstance(load, MergeLoad):
            return None
        since = self.standing.watermark if self.standing else None
        overlap = timedelta(minutes=load.overlap_minutes)
        name, clock = contract.source_names[load.watermark], contract.selected[load.watermark].type.clock
        return Changes(
            column=name,
            watermark=since,
            overlap=overlap,
            until=self.began,
            closed=not one_state,
            published=load.watermark,
            clock=clock,
        )

    def compares_keys(self, contract: Contract) -> bool:
        """Returns whether this run also looks for rows that the source no longer has."""
        load = contract.load
        if self.standing is None or not isinstance(load, MergeLoad) or load.reconcile_keys is None:
            return False
        return (self.day - self.standing.keys_compared_on).days >= load.reconcile_keys
