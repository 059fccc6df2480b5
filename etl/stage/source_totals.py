"""The source's own aggregates, under the same snapshot: what the staged rows and sums must equal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import ClassVar

from etl.errors import NOT_PUBLISHED, TRANSIENT
from etl.plan import TablePlan
from etl.retries import retry_transient
from etl.source import Dialect, HeldSnapshot, Snapshot, changes_condition, days_condition, join_snapshot
from etl.stage.quarantine import Quarantine
from masking.errors import KagemushaError


class SourceMoved(KagemushaError):
    """A table changed while it was read from an engine whose slices are not one snapshot."""

    advice = "Run again at a quieter time, or load the table by closed days: `mode: partition`."
    exit_code: ClassVar[int] = TRANSIENT


@dataclass(frozen=True)
class SourceTotals:
    """Row count and sums of the window, as the source itself adds them."""

    rows: int
    sums: Mapping[str, Decimal]

    def without(self, quarantine: Quarantine) -> SourceTotals:
        """Returns what the staged files must hold: all of the source but the rows that the load leaves out."""
        left_out = quarantine.sums
        sums = {name: total - left_out.get(name, Decimal(0)) for name, total in self.sums.items()}
        return SourceTotals(self.rows - len(quarantine.rows), sums)


def totals_before(held: HeldSnapshot, plan: TablePlan) -> SourceTotals | None:
    """Returns the totals before a row is read, where slices are not one snapshot; None where nothing can move."""
    if held.snapshot.pinned:
        return None
    with held.governor.turn():
        return ask_source_totals(held.snapshot, plan)


def unmoved(before: SourceTotals | None, after: SourceTotals, table: str) -> SourceTotals:
    """Returns the totals that staged rows must equal.

    Raises:
        SourceMoved: the table was another one before it was read than after, so its slices do not fit together.
    """
    if before is None or before == after:
        return after
    raise SourceMoved(
        "The table changed while it was read, and its slices are not one snapshot.",
        not_done=NOT_PUBLISHED,
        where={"table": table},
    )


def ask_source_totals(snapshot: Snapshot, plan: TablePlan) -> SourceTotals:
    """Asks the source for the row count and the contract's `reconcile` sums of the planned window.

    Raises:
        SourceUnavailable, ReadFailed: the query failed, also when it was tried again.
        SourceChanged: the table is not the planned one any more.
    """
    contract = plan.contract
    row = retry_transient(lambda: _totals(snapshot, plan))
    count, *found = row
    return SourceTotals(
        int(str(count)), {name: Decimal(str(total)) for name, total in zip(contract.reconcile, found, strict=True)}
    )


def _totals(snapshot: Snapshot, plan: TablePlan) -> Sequence[object]:
    contract = plan.contract
    try:
        with join_snapshot(snapshot, (contract.source,)) as session:
            if plan.definition is not None:
                plan.definition.refuse_other(session.definition(contract.source))
            condition = window_condition(plan, session.dialect)
            sums = [contract.source_names[name] for name in contract.reconcile]
            return session.row(session.dialect.totals(contract.source, sums, condition))
    except KagemushaError as error:
        failure = error.at(table=contract.table)
    raise failure


def window_condition(plan: TablePlan, dialect: Dialect) -> str:
    """Returns the SQL condition of the planned rows: TRUE where all are read."""
    if plan.changes:
        return changes_condition(plan.changes, dialect)
    column = plan.contract.window_column
    if plan.window is None or column is None:
        return "TRUE"
    kind, at_source = plan.contract.selected[column].type, plan.contract.source_names[column]
    return days_condition(at_source, kind.name, plan.window.first, plan.window.last, dialect.of_clock(kind.clock))
