"""Plans a table: contract against catalogue, slices, masks; refuses before a row is read."""

from __future__ import annotations

from etl.plan.drift.refuse import refuse_drift
from etl.plan.keys_contract import keys_contract
from etl.plan.scope import Scope
from etl.plan.slicing import SliceSize, sliced
from etl.plan.table_plan import TablePlan, mask_plan
from etl.source.catalogue import SourceTable
from etl.source.session import Session
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
        measure: whether keys and times may be counted at the source, to cut where the rows are; see `sliced`.
        own_iins: the issuer's own IINs, which the leak gate knows.

    Raises:
        PlanRejected: the source table and the contract disagree; see `refuse_drift`.
    """
    source = session.describe(contract.source)
    refuse_drift(contract, source, session.dialect.name, () if source else session.relations())
    assert source is not None  # noqa: S101  refuse_drift does not let a missing table pass
    window = scope.days(contract)
    changes = scope.changes(contract, one_state=session.dialect.name == "postgres")
    size = SliceSize(slice_bytes, workers)
    found = sliced(session, contract, source, window, changes, size, at_once=scope.at_once, measure=measure)
    masks = mask_plan(contract, scope.day, own_iins)
    keys = _keys(session, contract, source, masks, size, measure=measure) if scope.compares_keys(contract) else None
    return TablePlan(contract, window, masks, found.slices, found.rows, changes, keys, found.bytes)


def _keys(
    session: Session, contract: Contract, source: SourceTable, table: MaskPlan, size: SliceSize, *, measure: bool
) -> TablePlan:
    """Returns the plan of all keys of the source: nothing else of the rows is read."""
    only = keys_contract(contract)
    found = sliced(session, only, source, None, None, size, measure=measure)
    masks = mask_plan(only, table.day, table.own_iins)
    return TablePlan(only, None, masks, found.slices, found.rows, estimated_bytes=found.bytes)
