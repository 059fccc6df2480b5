"""What of a table is read, and what may be asked of the source to cut it into slices."""

from __future__ import annotations

from dataclasses import dataclass

from etl.source import Changes, SourceTable
from schemas.business_days import Window
from schemas.contract import Contract


@dataclass(frozen=True)
class Extent:
    """Which rows of a table are read, and what may be asked to cut them.

    Attributes:
        contract: of the table.
        source: its catalogue.
        window: the business days that are read; None where days do not choose rows.
        changes: of a merge table, the rows that are read.
        at_once: whether the window replaces the table in one step, so that a slice may hold rows of several days.
        measure: whether keys and times may be counted at the source to find where the rows are. Without it, statistics
            and equal spans of time decide, and what could only be cut by its keys stays whole.
    """

    contract: Contract
    source: SourceTable
    window: Window | None = None
    changes: Changes | None = None
    at_once: bool = False
    measure: bool = True

    @property
    def key(self) -> list[str]:
        """The source columns of the contract's key."""
        derive = self.contract.derive
        names = [derive[name].source if name in derive else name for name in self.contract.key]
        at_source = self.contract.source_names
        return [at_source[name] for name in names if name in at_source]
