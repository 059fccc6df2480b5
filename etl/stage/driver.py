"""Stages a table: one Spark task a slice; the driver sees file names and counts only."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING

from etl.cloud.storage import StagingLocation
from etl.errors import worst_of
from etl.keys import open_keyring
from etl.plan import TablePlan
from etl.source import HeldSnapshot, ReadColumn, Slice, Snapshot
from etl.stage.dispatch import dispatched
from etl.stage.quarantine import Quarantine
from etl.stage.source_totals import SourceTotals, ask_source_totals, totals_before, unmoved
from etl.stage.staged import Staged
from etl.stage.task import StagedSlice, TableTask, stage_slice
from masking.errors import KagemushaError
from masking.keyring import KeyRef
from schemas.contract import Contract

if TYPE_CHECKING:
    from pyspark.sql import SparkSession


@dataclass(frozen=True)
class Stager:
    """Stages the tables of one run.

    Attributes:
        spark: the session whose workers read, mask and stage.
        held: the snapshot that all slices see.
        key: the key version to mask under.
        location: where the files go.
        run_id: of the run.
    """

    spark: SparkSession
    held: HeldSnapshot
    key: KeyRef
    location: StagingLocation
    run_id: str

    def stage(self, plan: TablePlan) -> tuple[Staged, SourceTotals]:
        """Returns the manifest, and the source's own totals of what it must hold.

        Raises:
            KagemushaError: a slice, or the query for the totals, failed; or the table moved where slices see its
                states.
        """
        before = totals_before(self.held, plan)
        staged = self.stage_slices(plan)
        with self.held.governor.turn():
            totals = unmoved(before, ask_source_totals(self.held.snapshot, plan), plan.table).without(staged.quarantine)
        self.held.check()
        return staged, totals

    def whole_totals(self, plan: TablePlan) -> SourceTotals:
        """Returns the totals of the plan's whole table, under the run's snapshot: what a merge must come to."""
        with self.held.governor.turn():
            return ask_source_totals(self.held.snapshot, replace(plan, window=None, changes=None, keys=None))

    def stage_slices(self, plan: TablePlan) -> Staged:
        """Stages every slice of a plan and returns the manifest.

        There is no shuffle, cache or checkpoint between read and stage: Spark moves slices out and counts back.

        Raises:
            QuarantineFull: the slices together leave out more rows than a column's budget.
            RunLost: the snapshot or the reader was lost meanwhile; slices that were under way are canceled.
            KagemushaError: the worst failure of any slice. Files already staged are in no manifest, so never published.
        """
        started, keys = time.monotonic(), open_keyring(self.key)
        done = self._done_slices(plan)
        used = {keys.primary} if plan.mask.key_uses else set()
        return Staged(
            plan=plan,
            run_id=self.run_id,
            files=tuple(one.file for one in done),
            sums={name: sum((one.sums[name] for one in done), Decimal(0)) for name in plan.contract.reconcile},
            nulled=_added(done),
            quarantine=Quarantine().and_also(one.quarantine for one in done).within(plan.mask.budgets),
            key_checks={version.version: version.kcv for version in keys.versions if version.version in used},
            seconds=time.monotonic() - started,
            peak_mib=max(one.peak_mib for one in done),
            watermark=_watermark(plan, done),
        )

    def _done_slices(self, plan: TablePlan) -> list[StagedSlice]:
        """Returns what each slice staged, in order of the slices."""
        task = table_task(plan, self.held.snapshot, self.key, self.location, self.run_id)
        job = _job(self.spark, task, self.held)
        outcomes = dispatched(self.spark, plan.table, plan.slices, job, self.held.governor)
        failures = [outcome for outcome in outcomes if isinstance(outcome, KagemushaError)]
        if failures:
            raise worst_of(failures)
        done = [outcome for outcome in outcomes if isinstance(outcome, StagedSlice)]
        return sorted(done, key=lambda one: one.slice)


def _job(
    spark: SparkSession, task: TableTask, held: HeldSnapshot
) -> Callable[[Slice], list[StagedSlice | KagemushaError]]:
    """Returns what stages one slice as one Spark job of one task, by the reader that the settings chose."""
    if task.snapshot.endpoint.reader == "jdbc":
        from etl.stage.jdbc import jdbc_job  # noqa: PLC0415  only where it is needed

        return jdbc_job(spark, task, held.governor)
    return lambda part: spark.sparkContext.parallelize([part], 1).map(_runner(task)).collect()


def _runner(task: TableTask) -> Callable[[Slice], StagedSlice | KagemushaError]:
    return lambda part: stage_slice(task, part)


def read_columns(contract: Contract) -> tuple[ReadColumn, ...]:
    """Returns what is read of a table's selected columns: a mask that may meet what it cannot mask decides for both."""
    return tuple(
        ReadColumn(name, column.type, contract.source_names[name], getattr(column.mask, "on_invalid", "fail"))
        for name, column in contract.selected.items()
    )


def table_task(plan: TablePlan, snapshot: Snapshot, key: KeyRef, target: StagingLocation, run_id: str) -> TableTask:
    """Returns what workers need to stage any slice of the plan."""
    contract = plan.contract
    return TableTask(
        table=contract.table,
        source=contract.source,
        definition=plan.definition,
        columns=read_columns(contract),
        mask=plan.mask,
        derive={name: derived.source for name, derived in contract.derive.items()},
        row_key=contract.key,
        sums=contract.reconcile,
        partition_by=contract.partition_by,
        changes=plan.changes,
        added=tuple(column.name for column in contract.load.adds),
        output_schema=plan.output_schema,
        snapshot=snapshot,
        key=key,
        target=target,
        folder=f"{target.prefix}/{run_id}/{contract.table}",
    )


def _watermark(plan: TablePlan, done: Sequence[StagedSlice]) -> datetime | None:
    """Returns the latest change that was read, or the one before where there was none."""
    known = plan.changes.watermark if plan.changes else None
    return max([one.watermark for one in done if one.watermark] + ([known] if known else []), default=None)


def _added(done: Sequence[StagedSlice]) -> dict[str, int]:
    total: dict[str, int] = {}
    for one in done:
        for name, count in one.nulled.items():
            total[name] = total.get(name, 0) + count
    return total
