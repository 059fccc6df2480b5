"""Plans a table: contract against catalogue, slices, masks; refuses before a row is read."""

from __future__ import annotations

from dataclasses import replace

from etl.plan.drift.refuse import without_drift
from etl.plan.extent import Extent
from etl.plan.foreign import refuse_foreign
from etl.plan.keys_contract import keys_contract
from etl.plan.scope import Scope
from etl.plan.slicing import SliceSize, sliced
from etl.plan.table_plan import TablePlan, mask_plan
from etl.source import Session
from masking.leaks import OwnIins
from masking.plan import MaskPlan
from schemas.contract import Contract


def plan_table(
    session: Session,
    contract: Contract,
    scope: Scope,
    slice_bytes: int,
    *,
    workers: int = 1,
    measure: bool = True,
    own_iins: OwnIins = (),
) -> TablePlan:
    """Returns the plan of one table.

    Args:
        session: a control session under the run's snapshot.
        contract: the table's contract.
        scope: which of its rows are read.
        slice_bytes: about how many of the table's bytes one slice should read.
        workers: how many slices can be read at once; a table that is large enough gets more slices than these.
        measure: whether keys and times may be counted at the source, to cut where the rows are; see `Extent`.
        own_iins: the issuer's own IINs, which the leak gate knows.

    Raises:
        PlanRejected: the source table and the contract disagree; see `without_drift` and `refuse_foreign`.
        SourceChanged: the snapshot knows another table than there is now.
    """
    described = session.describe(contract.source)
    known = () if described else session.relations()
    source = without_drift(contract, described, session.dialect.name, known)
    definition = refuse_foreign(contract, session.definition(contract.source))
    extent = Extent(
        contract,
        source,
        scope.days(contract),
        scope.changes(contract, one_state=session.dialect.name == "postgres"),
        at_once=scope.at_once,
        measure=measure,
    )
    size = SliceSize(slice_bytes, workers)
    found = sliced(session, extent, size)
    masks = mask_plan(contract, scope.day, own_iins)
    keys = _keys(session, extent, size, masks) if scope.compares_keys(contract) else None
    keys = replace(keys, definition=definition) if keys else None
    return TablePlan(
        contract=contract,
        window=extent.window,
        mask=masks,
        slices=found.slices,
        estimated_rows=found.rows,
        changes=extent.changes,
        keys=keys,
        estimated_bytes=found.bytes,
        definition=definition,
    )


def _keys(session: Session, extent: Extent, size: SliceSize, masks: MaskPlan) -> TablePlan:
    """Returns the plan of all keys of the source: nothing else of the rows is read."""
    only = keys_contract(extent.contract)
    found = sliced(session, Extent(only, extent.source, measure=extent.measure), size)
    return TablePlan(
        contract=only,
        window=None,
        mask=mask_plan(only, masks.day, masks.own_iins),
        slices=found.slices,
        estimated_rows=found.rows,
        estimated_bytes=found.bytes,
    )
