"""Plans the tables of a run, all under the one snapshot that the run reads."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Final

from etl.installation import Installation
from etl.ledger import Leases, merge_state
from etl.plan import Scope, TablePlan, plan_table
from etl.run.request import Run, Selection
from etl.source import HeldSnapshot, Session, join_snapshot
from masking.errors import KagemushaError
from schemas.contract import Contract

PlanOrRefusal = TablePlan | KagemushaError

_MIB: Final = 1024 * 1024
_TABLES_A_SESSION: Final = 4
"""Fewer would not pay for the session: opening and proving one takes as long as planning some tables."""


def plan_tables(
    installation: Installation, selection: Selection, run: Run, held: HeldSnapshot, leases: Leases, workers: int
) -> dict[str, PlanOrRefusal]:
    """Returns a plan for every chosen table; a table that may not be loaded, or not as its contract says, is refused.

    Several sessions plan side by side, each within the governor's turns.

    Args:
        installation: where the tables are published.
        selection: the tables.
        run: what is read of them.
        held: the snapshot.
        leases: a table that another run holds is not planned.
        workers: how many slices can be read at once.
    """
    names = list(selection.chosen)
    sessions = max(1, min(-(-len(names) // _TABLES_A_SESSION), installation.settings.limits.tables_at_once))
    shares = [selection.only(names[number::sessions]) for number in range(sessions)]
    plan = partial(_plans, installation, run, held, leases, workers)
    with ThreadPoolExecutor(sessions, thread_name_prefix="plan") as threads:
        found = {name: one for plans in threads.map(plan, shares) for name, one in plans.items()}
    return {name: found[name] for name in names}


def _plans(
    installation: Installation, run: Run, held: HeldSnapshot, leases: Leases, workers: int, share: Selection
) -> Mapping[str, PlanOrRefusal]:
    """Plans some of the tables on one session."""
    plans: dict[str, PlanOrRefusal] = {}
    sources = [contract.source for contract in share.chosen.values()]
    with held.governor.turn(), join_snapshot(held.snapshot, sources) as session:
        for name, contract in share.chosen.items():
            refusal = leases.refusal(contract.publish) or held.unlocked.get(contract.source)
            plans[name] = refusal or _planned(installation, run, session, contract, workers)
    return plans


def estimated_rows(plan: PlanOrRefusal) -> int:
    """Returns about how many rows a plan reads; a table that is refused reads none."""
    return plan.estimated_rows if isinstance(plan, TablePlan) else 0


def _planned(installation: Installation, run: Run, session: Session, contract: Contract, workers: int) -> PlanOrRefusal:
    try:
        settings = installation.settings
        slice_bytes, own = round(settings.source.slice_mib * _MIB), settings.cards.own_iins
        with session.isolated():
            scope = run.scopes.get(contract.table) or _scope_of_the_day(installation, run, session, contract)
            return plan_table(session, contract, scope, slice_bytes, workers=workers, own_iins=own)
    except KagemushaError as error:
        return error.at(table=contract.table)


def _scope_of_the_day(installation: Installation, run: Run, session: Session, contract: Contract) -> Scope:
    """Returns what the contract's mode says of the day, which for a merge table depends on what is published."""
    definition = session.definition(contract.source)
    origin = definition.origin if definition else None
    standing = merge_state(installation.warehouse, contract, installation.keys, origin)
    return Scope(run.day, run.began, standing=standing)
