"""The plan of one table: what will be read and what will come out, decided before a row is read."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import pyarrow as pa

from etl.source import Changes, Definition, Slice
from masking.leaks import OwnIins
from masking.plan import ColumnRule, MaskPlan
from schemas.business_days import Window
from schemas.contract import Contract


@dataclass(frozen=True)
class TablePlan:
    """What will be read and what will come out, decided before a row is read.

    Attributes:
        window: the business days that are read; None where days do not choose rows.
        changes: of a merge table, which rows are read.
        keys: the plan of all keys of the source, where a merge also looks for rows that are gone.
        definition: what the source's relation was when it was planned; None of a plan that was not made at the source.
    """

    contract: Contract
    window: Window | None
    mask: MaskPlan
    slices: tuple[Slice, ...]
    estimated_rows: int
    changes: Changes | None = None
    keys: TablePlan | None = None
    estimated_bytes: int = 0
    definition: Definition | None = None

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


def mask_plan(contract: Contract, day: date, own_iins: OwnIins = ()) -> MaskPlan:
    """Returns the masks of a contract's selected columns, in order.

    Args:
        contract: of the table.
        day: what the masks take for today.
        own_iins: the settings' own IINs; the contract's are added.
    """
    rules = tuple(
        ColumnRule(name, column.type.arrow, column.mask, frozenset(column.may_look_like), column.number)
        for name, column in contract.selected.items()
    )
    return MaskPlan(rules, day, tuple(sorted({*own_iins, *contract.own_iins})))
