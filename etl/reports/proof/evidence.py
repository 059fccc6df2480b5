"""The evidence of one run: what left the card environment, how it was protected, under which key, who looked back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from google.cloud import bigquery

from etl.clock import now
from etl.cloud.storage import StagingBucket, StagingLocation
from etl.errors import SettingsInvalid
from etl.ledger import Ledger
from etl.reports.facts.runs import RunFacts, run_before, runs_of
from etl.reports.proof import looks
from etl.reports.proof.answer import Answer
from etl.reports.proof.contracts_of_run import kept_contracts, ran_under
from etl.reports.proof.looks import Period
from etl.reports.proof.records import AccessFacts, Records, TableProof
from etl.reports.proof.requirements import answers
from etl.settings import Settings
from schemas.contract import Contract
from schemas.contract_file import BUNDLED, load_contracts

_FIRST_PERIOD = timedelta(days=90)
"""What is looked back on of the first run, which has none before it."""


@dataclass(frozen=True)
class Evidence:
    """The records of a run, and what they answer."""

    records: Records
    answers: tuple[Answer, ...]


def evidence(
    ledger: Ledger, bucket: StagingBucket, run_id: str, contracts: Mapping[str, Contract], log: Path | None = None
) -> Evidence:
    """Returns the evidence of a run.

    Contracts are those that the run kept, else those at hand; each load's digest in the ledger says whether they prove
    something about that run.

    Args:
        ledger: knows the run.
        bucket: where the run kept its contracts.
        run_id: the run.
        contracts: those at hand.
        log: the access log of looks behind tokens; None where there is none here.

    Raises:
        SettingsInvalid: the ledger knows no such run.
    """
    found = runs_of(ledger, [run_id])
    if not found:
        raise SettingsInvalid(
            "The ledger knows no such run.", not_done="No report was written.", advice="`kagemusha runs` lists them."
        )
    records = _records(ledger, bucket, found[0], contracts, log)
    return Evidence(records, answers(records))


def evidence_of(settings: Settings, run_id: str, folder: Path | None = None) -> Evidence:
    """Returns the evidence of a run of an installation; see `evidence`.

    Args:
        settings: of the installation.
        run_id: the run.
        folder: of the contracts at hand; None for the bundled ones.
    """
    bucket, contracts = StagingBucket(StagingLocation.of(settings)), load_contracts(folder or BUNDLED)
    return evidence(Ledger.of(settings), bucket, run_id, contracts, settings.detokenize.audit_log)


def _records(
    ledger: Ledger, bucket: StagingBucket, run: RunFacts, contracts: Mapping[str, Contract], log: Path | None
) -> Records:
    before = run_before(ledger, run)
    earlier = runs_of(ledger, [before], whole=False) if before else ()
    began = (earlier[0].ended or earlier[0].started) if earlier else run.started - _FIRST_PERIOD
    period = Period(began, run.ended or now())
    kept = kept_contracts(bucket, run.run_id)
    tables = tuple(TableProof(load, ran_under(load, kept, contracts)) for load in run.loads)
    known = kept or dict(contracts)
    datasets = sorted({one.dataset for one in known.values()})
    settings = ledger.warehouse.settings
    return Records(
        run=run,
        before=before,
        period=period,
        tables=tables,
        contracts=known,
        key_events=looks.key_events(ledger),
        waivers=looks.waivers(ledger, period),
        erasures=looks.erasures(ledger, period),
        looks=looks.looks(log, period),
        access=tuple(_access(ledger, name) for name in (*datasets, *settings.own_datasets)),
        location=settings.location,
    )


def _access(ledger: Ledger, dataset: str) -> AccessFacts:
    entries = ledger.warehouse.find_access(dataset)
    if entries is None:
        return AccessFacts(dataset, None)
    return AccessFacts(dataset, tuple(sorted((_role(one), _member(one)) for one in entries)))


def _role(entry: bigquery.AccessEntry) -> str:
    return str(entry.role or entry.entity_type)


def _member(entry: bigquery.AccessEntry) -> str:
    named = entry.entity_id
    if isinstance(named, Mapping):
        inside = named.get("dataset", named)
        return ".".join(str(inside[key]) for key in ("projectId", "datasetId", "tableId") if key in inside)
    return str(named)
