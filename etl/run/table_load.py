"""One table's way through a run: stage, audit, publish, record; an error becomes its result."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import Executor, Future
from dataclasses import dataclass

from etl.audit import Approved, Auditor, References, Verdict, approve, joined_tables, write_page
from etl.cloud.storage import staging_bucket
from etl.errors import NOT_PUBLISHED
from etl.keys import open_keyring
from etl.ledger import Leases, TableResult
from etl.plan import TablePlan
from etl.progress import Progress
from etl.publish import Published, Publisher
from etl.run.planning import PlanOrRefusal
from etl.run.record.load_records import LoadRecords
from etl.run.record.results import TableLoad, failed_result, published_result
from etl.run.table_turns import Stopwatch, TableTurns
from etl.stage import SourceTotals, Staged, Stager, write_manifest
from etl.workers import failure_of
from masking.errors import KagemushaError

Gather = Callable[[Staged, Mapping[str, Staged]], References]
"""Returns what the audit compares a table with, given those that it joins and that the same run has staged."""


@dataclass(frozen=True)
class TableLoader:
    """Loads the tables of one run, each in a thread of its own.

    Attributes:
        stager: reads, masks, stages.
        auditor: examines what was staged.
        publisher: publishes what was approved.
        gather: finds what the audit compares a table with.
        turns: who may work now.
        leases: prove before publishing that no other run publishes the table.
        records: the ledger's rows.
        noting: has the ledger told of a stage while it is audited.
        progress: hears of every step.
    """

    stager: Stager
    auditor: Auditor
    publisher: Publisher
    gather: Gather
    turns: TableTurns
    leases: Leases
    records: LoadRecords
    noting: Executor
    progress: Progress

    def load(self, table: str, plan: PlanOrRefusal) -> TableLoad:
        """Takes one table through all steps; an error becomes its result."""
        watch = Stopwatch()
        staged: Staged | None = None
        verdict: Verdict | None = None
        try:
            with self.turns.turn(), watch.running():
                staged, totals, noted = self._stage(plan)
            self.turns.staged(table, staged)
            others = self.turns.wait_for(joined_tables(staged.plan.contract))
            with self.turns.turn(), watch.running():
                verdict = self._examine(staged, totals, others)
                write_page(staged, verdict, staging_bucket(self.stager.location))
                approved = approve(staged, verdict)
                noted.result()
                published = self._publish(approved)
            result = published_result(approved, published, watch.seconds)
        except KagemushaError as error:
            result = failed_result(table, error.at(table=table), watch.seconds, verdict)
        except Exception as error:  # noqa: BLE001  its message could quote a value: only its type is kept
            result = failed_result(table, failure_of(error, NOT_PUBLISHED).at(table=table), watch.seconds, verdict)
        finally:
            self.turns.staged(table, staged)
        load = self.records.record(result, staged, verdict, planned=isinstance(plan, TablePlan))
        self._say_how_it_ended(load.result)
        return load

    def _stage(self, plan: PlanOrRefusal) -> tuple[Staged, SourceTotals, Future[None]]:
        """Stages a table, leaves its signed manifest beside the files, and begins to tell the ledger of it.

        So audit and publish can be run again, of this stage and of none that somebody else has made.
        """
        if isinstance(plan, KagemushaError):
            raise plan
        self._say_what_is_read(plan)
        staged, totals = self.stager.stage(plan)
        keys = open_keyring(self.stager.key)
        manifest = write_manifest(staged, totals, staging_bucket(self.stager.location), keys)
        return staged, totals, self.noting.submit(self.records.record_stage, manifest)

    def _examine(self, staged: Staged, totals: SourceTotals, others: Mapping[str, Staged]) -> Verdict:
        self.progress.say(staged.plan.table, "audit", rows=staged.rows, bytes=staged.bytes)
        return self.auditor.examine(staged, totals, self.gather(staged, others))

    def _publish(self, approved: Approved) -> Published:
        plan = approved.staged.plan
        keys = self._approved_keys(plan.keys) if plan.keys else None
        self.progress.say(plan.table, "publish", expectations=len(approved.verdict.results))
        whole = self.stager.whole_totals(plan) if keys else None
        return self.publisher.publish(approved, self.leases.of(plan.contract.publish), keys, whole)

    def _approved_keys(self, plan: TablePlan) -> Approved:
        """Stages and proves every key of the source, so that a merge can tell which rows are gone."""
        self._say_what_is_read(plan)
        staged, totals = self.stager.stage(plan)
        return self.auditor.audit(staged, totals)

    def _say_what_is_read(self, plan: TablePlan) -> None:
        self.progress.say(plan.table, "stage", slices=len(plan.slices), estimated_rows=plan.estimated_rows)

    def _say_how_it_ended(self, result: TableResult) -> None:
        if result.error:
            self.progress.say(result.table, "failed", error=result.error, exit_code=result.exit_code)
            return
        seconds = round(result.seconds, 1)
        self.progress.say(result.table, "published", rows=result.rows, partitions=result.partitions, seconds=seconds)
