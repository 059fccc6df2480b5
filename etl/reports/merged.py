"""A merge table against its source, which goes on changing: what cannot be explained by later changes differs."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from etl.clock import now
from etl.plan import TablePlan
from etl.source import Changes, HeldSnapshot, join_snapshot
from etl.stage import SourceTotals, ask_source_totals
from schemas.contract import Contract
from schemas.loads import MergeLoad

_NONE: Final = timedelta(0)


@dataclass(frozen=True)
class MovedOn:
    """How far the source of a merge table has gone since its last load.

    Attributes:
        changed: rows that changed since, as their watermark says.
        another: whether it is another table, or on another server, than the last load read.
    """

    changed: int
    another: bool


def moved_on(held: HeldSnapshot, plan: TablePlan, watermark: datetime | None, origin: str | None) -> MovedOn | None:
    """Asks the source how far it has gone since the load of this watermark; None for tables that are not merged.

    Args:
        held: the snapshot.
        plan: of the whole table.
        watermark: the latest change that is published.
        origin: what names the table that was loaded.
    """
    contract = plan.contract
    if not isinstance(contract.load, MergeLoad) or watermark is None:
        return None
    column, clock = (
        contract.source_names[contract.load.watermark],
        contract.selected[contract.load.watermark].type.clock,
    )
    later = Changes(column, watermark, _NONE, now(), closed=False, published=contract.load.watermark, clock=clock)
    changed = ask_source_totals(held.snapshot, replace(plan, changes=later)).rows
    with join_snapshot(held.snapshot, (contract.source,)) as session:
        definition = session.definition(contract.source)
    return MovedOn(changed, another=definition is None or definition.origin != origin)


def unexplained(contract: Contract, published: SourceTotals, source: SourceTotals, moved: MovedOn, allowed: int) -> str:
    """Returns why live rows of a merge table cannot have come from its source; empty where later changes explain them.

    Args:
        contract: of the table.
        published: what BigQuery holds of live rows.
        source: what the source has now.
        moved: how far it has gone since the last load.
        allowed: how many rows are left out, in quarantine or erased.
    """
    if moved.another:
        return "the source is another table or server than the last load read"
    standing = source.rows - moved.changed
    if standing - published.rows > allowed:
        return "rows are missing that have not changed since"
    load = contract.load
    if isinstance(load, MergeLoad) and load.deletes != "ignore":
        gone = published.rows - source.rows
        if gone > load.deletable(published.rows):
            return "more rows are gone than one run may delete"
    same = published.rows == source.rows and not moved.changed and not allowed
    wrong = [name for name in contract.reconcile if same and published.sums[name] != source.sums[name]]
    return f"no row has changed since, and {', '.join(wrong)} differ" if wrong else ""
