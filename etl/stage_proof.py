"""Stages a table and asks the source what must have come of it, under the same snapshot."""

from __future__ import annotations

from typing import TYPE_CHECKING

from etl.handoff import Staged, TablePlan
from etl.reconcile import SourceTotals, source_totals, totals_before, unmoved
from etl.source.session import Held
from etl.stage import stage_table
from etl.storage import StageTarget
from masking.keyring import KeyRef, Keyring

if TYPE_CHECKING:
    from pyspark.sql import SparkSession


def staged_with_totals(
    spark: SparkSession, plan: TablePlan, held: Held, keys: Keyring, key: KeyRef, target: StageTarget, run_id: str
) -> tuple[Staged, SourceTotals]:
    """Gives the manifest, and the source's own totals of what it must hold.

    Raises:
        KagemushaError: a slice, or the query for the totals, failed; or the table moved where slices see its states.
    """
    before = totals_before(held, plan)
    staged = stage_table(spark, plan, held, keys, key, target, run_id)
    with held.governor.turn():
        totals = unmoved(before, source_totals(held.snapshot, plan), plan.table).without(staged.quarantine)
    held.check()
    return staged, totals
