"""All that an installation can say of itself now: catalog, runs, and the evidence of its last run."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Final

from google.cloud import bigquery

from etl.clock import now
from etl.cloud.storage import StagingBucket
from etl.ledger import Ledger, package_version
from etl.reports.facts.at_once import at_once
from etl.reports.facts.catalog import Catalog, catalog
from etl.reports.facts.runs import RunFacts, last_runs
from etl.reports.proof.comparison import Comparison, compare
from etl.reports.proof.evidence import Evidence, evidence
from etl.reports.status import table_status
from etl.settings import Settings
from schemas.contract_file import BUNDLED, load_contracts
from schemas.view_file import View, load_views

_AT_ONCE: Final = 8


@dataclass(frozen=True)
class Facts:
    """What an installation says of itself.

    Attributes:
        at: when it was asked.
        version: of this package.
        evidence: of the last night's run; None where there is none.
        comparison: of that run with the one before it; None where there is none.
    """

    at: datetime
    version: str
    catalog: Catalog
    runs: tuple[RunFacts, ...]
    evidence: Evidence | None
    comparison: Comparison | None

    @property
    def project(self) -> str:
        """The BigQuery project."""
        return self.catalog.project

    @property
    def last_run(self) -> RunFacts | None:
        """The last night's run; see `nights`."""
        return next(iter(nights(self.runs)), None)


def nights(runs: Sequence[RunFacts]) -> list[RunFacts]:
    """Returns the runs that loaded about all tables, newest first: one that loaded a few again is no night's run."""
    most = max((len(one.loads) for one in runs), default=0)
    return [one for one in runs if one.loads and len(one.loads) * 2 >= most]


def facts_of(settings: Settings, ledger: Ledger, bucket: StagingBucket, folder: Path | None = None) -> Facts:
    """Returns the facts of an installation, from contracts, ledger, BigQuery's own description and what runs kept.

    Args:
        settings: of the installation.
        ledger: opened.
        bucket: where runs kept their contracts.
        folder: of the contracts; None for the bundled ones.

    Raises:
        KagemushaError: contracts are wrong, or BigQuery or storage did not answer.
    """
    runs = last_runs(ledger, settings.site.runs)
    loaded = [one.run_id for one in nights(runs)][:2]
    contracts, log = load_contracts(folder or BUNDLED), settings.detokenize.audit_log
    asked: list[Callable[[], Catalog | Evidence]] = [partial(catalog_of, settings, ledger, folder)]
    asked += [partial(evidence, ledger, bucket, run, contracts, log) for run in loaded]
    found = at_once(lambda ask: ask(), asked, len(asked))
    proofs = [one for one in found if isinstance(one, Evidence)]
    return Facts(
        at=now(),
        version=package_version(),
        catalog=next(one for one in found if isinstance(one, Catalog)),
        runs=runs,
        evidence=proofs[0] if proofs else None,
        comparison=compare(proofs[1], proofs[0]) if len(proofs) > 1 else None,
    )


def catalog_of(settings: Settings, ledger: Ledger, folder: Path | None = None) -> Catalog:
    """Returns the catalog of an installation; see `facts_of`."""
    chosen = folder or BUNDLED
    contracts, views = load_contracts(chosen), load_views(chosen / "views")
    statuses = {one.table: one for one in table_status(ledger, settings, contracts)}
    return catalog(settings, contracts, views, statuses, _view_schemas(ledger, settings, views))


def _view_schemas(
    ledger: Ledger, settings: Settings, views: tuple[View, ...]
) -> Mapping[str, list[bigquery.SchemaField]]:
    """Returns the columns of the views that are published."""
    names = [f"{settings.bigquery.views_dataset}.{view.name}" for view in views]
    found = at_once(ledger.warehouse.find_table, names, _AT_ONCE)
    return {view.name: list(table.schema) for view, table in zip(views, found, strict=True) if table is not None}
