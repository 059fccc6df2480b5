"""Contract and catalogue → TablePlan: what will be read and what will come out, decided before a row is read."""

from etl.plan.drift.find import Drift, find_drift
from etl.plan.plan import plan_table
from etl.plan.scope import Scope
from etl.plan.table_plan import TablePlan, mask_plan

__all__ = [
    "Drift",
    "Scope",
    "TablePlan",
    "find_drift",
    "mask_plan",
    "plan_table",
]
