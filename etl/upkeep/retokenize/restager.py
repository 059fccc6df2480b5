"""Stages published rows anew, read back from BigQuery: one Spark task a slice, as of a load from the source."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

from etl.clock import now
from etl.cloud.bigquery import Warehouse, quoted
from etl.cloud.storage import StagingLocation
from etl.errors import NOT_PUBLISHED, worst_of
from etl.plan import TablePlan, mask_plan
from etl.source import Slice
from etl.spark import spark_session
from etl.stage import Quarantine, Staged, StagedFile
from etl.upkeep.retokenize.task import MAP_SCHEMA, RestagedSlice, RestageOutcome, RetokenTask, restage_slice, stage_map
from etl.workers import failure_of
from masking.errors import KagemushaError
from masking.keyring import KeyRef
from masking.leaks import Allowed, OwnIins
from masking.strategies import KeyedStrategy
from schemas.contract import Contract
from schemas.domains import rewritable_columns

if TYPE_CHECKING:
    from pyspark.sql import SparkSession


@dataclass(frozen=True)
class Restager:
    """Stages the tables of one retokenization.

    Attributes:
        warehouse: where tables are published.
        key: pins the version to renew tokens to.
        location: where the files go.
        run_id: of the retokenization.
        own_iins: the issuer's own IINs, of the settings.
    """

    warehouse: Warehouse
    key: KeyRef
    location: StagingLocation
    run_id: str
    own_iins: OwnIins = ()

    @property
    def version(self) -> int:
        """The key version to renew tokens to."""
        return self.key.version or 0

    def spark(self) -> SparkSession:
        """Returns the session whose workers read, renew and stage: it starts only when there is something to do."""
        return spark_session()

    def stage_table(self, contract: Contract, slices: tuple[Slice, ...]) -> Staged:
        """Stages slices of a published table, their tokens under the primary version.

        Raises:
            KagemushaError: the worst failure of any slice.
        """
        started = time.monotonic()
        plan = TablePlan(contract, None, mask_plan(contract, now().date(), self.own_iins), slices, 0)
        columns = ", ".join(map(quoted, contract.published))
        task = RetokenTask(
            name=contract.table,
            select=f"SELECT {columns} FROM `{self.warehouse.table_id(contract.publish)}`",
            schema=plan.output_schema,
            strategies=rewritable_columns(contract),
            allowed=plan.mask.allowed,
            sums=contract.reconcile,
            warehouse=self.warehouse.settings,
            key=self.key,
            target=self.location,
            folder=self._folder(contract.table),
            own_iins=plan.mask.own_iins,
        )
        restaged = self._restaged(task, slices, restage_slice)
        return Staged(
            plan=plan,
            run_id=self.run_id,
            files=tuple(one.file for one in restaged),
            sums={column: sum((one.sums[column] for one in restaged), Decimal(0)) for column in contract.reconcile},
            nulled={},
            quarantine=Quarantine(),
            key_checks={self.key.version or 0: self.key.kcv or ""},
            seconds=time.monotonic() - started,
            peak_mib=0,
        )

    def stage_map(self, label: str, select: str, strategy: KeyedStrategy, allowed: Allowed) -> StagedFile:
        """Stages a token map.

        Args:
            label: names the map, in storage too.
            select: the query for the old tokens, without a condition.
            strategy: makes the tokens.
            allowed: what the leak gate lets pass of them.

        Raises:
            KagemushaError: the map could not be staged.
        """
        task = RetokenTask(
            name=label,
            select=select,
            schema=MAP_SCHEMA,
            strategies={"token": strategy},
            allowed=dict.fromkeys(("token", "current"), allowed),
            sums=(),
            warehouse=self.warehouse.settings,
            key=self.key,
            target=self.location,
            folder=self._folder(label),
            own_iins=self.own_iins,
        )
        (staged,) = self._restaged(task, (Slice(0, "TRUE"),), stage_map)
        return staged.file

    def _folder(self, label: str) -> str:
        return f"{self.location.prefix}/{self.run_id}/{label}"

    def _restaged(
        self, task: RetokenTask, slices: Sequence[Slice], stage: Callable[[RetokenTask, Slice], RestageOutcome]
    ) -> list[RestagedSlice]:
        """Runs one Spark task a slice; returns what they staged, in order.

        Raises:
            KagemushaError: the worst failure of any slice, or what became of the workers.
        """
        parts = self.spark().sparkContext.parallelize(slices, len(slices))
        lost: KagemushaError | None = None
        outcomes: list[RestageOutcome] = []
        try:
            outcomes = parts.map(lambda part: stage(task, part)).collect()
        except Exception as error:  # noqa: BLE001  its message could quote a value: only its kind is kept
            lost = failure_of(error, NOT_PUBLISHED)
        if lost is not None:
            raise lost
        failures = [outcome for outcome in outcomes if isinstance(outcome, KagemushaError)]
        if failures:
            raise worst_of(failures)
        return [outcome for outcome in outcomes if isinstance(outcome, RestagedSlice)]
