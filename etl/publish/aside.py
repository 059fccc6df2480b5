"""Staged files come into BigQuery beside their destination first, and are proven there before anybody can read them.

A load job names objects, not their generations. But a generation never comes back: when, after the job, storage still
holds the generations that the audit approved, then the job has read those, and so has the audit before it.
"""

from __future__ import annotations

import secrets
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Final

from google.cloud import bigquery

from etl.clock import now
from etl.cloud.bigquery import Warehouse, load
from etl.cloud.storage import StagingLocation
from etl.errors import NOT_PUBLISHED, PublishFailed
from etl.publish.fence import BESIDE
from etl.publish.tables import encryption, load_config
from etl.publish.totals import totals_by_day
from etl.stage import SourceTotals, StageChanged, Staged, changed_files
from masking.errors import KagemushaError

_KEPT: Final = timedelta(days=1)
"""How long a table beside outlives a run that was killed."""


@dataclass(frozen=True)
class Asides:
    """Makes the tables beside the destinations.

    Attributes:
        warehouse: where they are, in the ledger's dataset.
        location: where staged files are.
        digest: of all that is published together; a part of the tables' names.
    """

    warehouse: Warehouse
    location: StagingLocation
    digest: str

    def load(self, staged: Staged, what: str, schema: Sequence[bigquery.SchemaField]) -> str:
        """Loads a staged table into a table of its own, proves it, and returns that table's full name.

        It is loaded anew every time: a table that has expired is empty, and to find the job that once filled it would
        prove nothing. From no keys at all a merge would conclude that every row is gone.

        Args:
            staged: the manifest.
            what: names the load job.
            schema: of the table.

        Raises:
            StageChanged: storage no longer holds what the audit approved.
            PublishFailed: BigQuery holds other rows or sums than were staged.
        """
        table = self._created(staged, schema)
        name = f"{table.project}.{table.dataset_id}.{table.table_id}"
        try:
            self._fill(staged, what, table, name)
            _refuse_other_rows(self.warehouse, staged, name)
        except KagemushaError:
            self.discard(name)
            raise
        return name

    def _fill(self, staged: Staged, what: str, table: bigquery.Table, name: str) -> None:
        """Loads the files; a job that failed on other bytes than the audit's failed because of these."""
        uris = [self.location.uri(file.name) for file in staged.files]
        job_id = f"kagemusha_{staged.plan.table}_{what}_{self.digest}_{secrets.token_hex(4)}"
        try:
            load(self.warehouse, uris, name, job_id, load_config(staged.plan.contract, table))
        finally:
            refuse_changed_files(staged, self.location)

    def discard(self, name: str) -> None:
        """Removes a table beside; where that fails it ends by itself, and what was or was not published stays so."""
        with suppress(KagemushaError):
            self.warehouse.drop_table("A staging table could not be removed", name)

    def _created(self, staged: Staged, schema: Sequence[bigquery.SchemaField]) -> bigquery.Table:
        contract, dataset = staged.plan.contract, self.warehouse.settings.ops_dataset
        name = self.warehouse.table_id(f"{dataset}.{BESIDE}{contract.table}_{self.digest}")
        wanted = bigquery.Table(name, schema=schema)
        wanted.expires = now() + _KEPT
        wanted.description = f"Rows on their way into {contract.publish}; it may be deleted."
        wanted.labels = {"managed_by": "kagemusha"}
        wanted.encryption_configuration = encryption(self.warehouse)
        if not staged.plan.merges:  # its partitions are copied, and copies are laid out as what they replace
            by = contract.partition_by
            wanted.time_partitioning = bigquery.TimePartitioning("DAY", field=by) if by else None
            wanted.clustering_fields = list(contract.cluster_by) or None
        return self.warehouse.create_table("A staging table could not be created", wanted)


def refuse_changed_files(staged: Staged, location: StagingLocation) -> None:
    """Lets a stage pass whose every object is still the generation that the audit approved.

    Raises:
        StageChanged: somebody replaced or removed one.
    """
    wrong = changed_files(staged, location)
    if wrong:
        raise StageChanged(
            f"{wrong} of {len(staged.files)} staged files are not what the audit approved.", not_done=NOT_PUBLISHED
        )


def _refuse_other_rows(warehouse: Warehouse, staged: Staged, name: str) -> None:
    """Lets a table beside pass that holds the rows of each business day, and the sums, that were staged."""
    contract, days = staged.plan.contract, Counter[date | None]()
    for file in staged.files:
        days[file.partition] += file.rows
    by = contract.partition_by if None not in days else None
    found = totals_by_day(warehouse, name, contract, by)
    rows = Counter({day: totals.rows for day, totals in found.items()})
    sums = {column: sum((one.sums[column] for one in found.values()), Decimal(0)) for column in contract.reconcile}
    if +rows != +days or SourceTotals(staged.rows, sums) != SourceTotals(staged.rows, dict(staged.sums)):
        raise PublishFailed(
            f"BigQuery holds {rows.total():,} rows, {staged.rows:,} were staged; or days or sums differ.",
            not_done=NOT_PUBLISHED,
            where={"table": contract.table},
        )
