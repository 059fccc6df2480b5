"""Prepares an installation: datasets with their access, the ledger, and the rule by which staged files expire."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from etl.cloud.storage import StagingBucket, StagingLocation, note_earlier_runs
from etl.ledger import Ledger
from etl.settings import Settings
from schemas.contract import Contract


@dataclass(frozen=True)
class Prepared:
    """What is there now.

    Attributes:
        datasets: every dataset that contracts, views and ledger need.
        expires_days: after how many days the bucket itself deletes staged files.
    """

    datasets: tuple[str, ...]
    expires_days: int


def prepare(settings: Settings, contracts: Mapping[str, Contract]) -> Prepared:
    """Makes what is missing and leaves what is there; safe to run again.

    Runs delete what earlier ones staged, by the note of each. The bucket's own rule deletes staged files a day later
    than they should have: of runs after which no other came. Runs from before there were notes are noted here.

    Raises:
        SettingsInvalid: a dataset is in another location.
        BucketMissing, StorageUnavailable: the bucket's rule could not be set, or a run not be noted.
        PublishRefused, PublishFailed: BigQuery refused or failed.
    """
    ledger = Ledger.of(settings)
    published = {contract.dataset for contract in contracts.values()}
    names = sorted(published | {settings.bigquery.views_dataset, settings.bigquery.ops_dataset})
    for name in names:
        ledger.warehouse.ensure_dataset(name)
    days = settings.stage.keep_days + 1
    bucket = StagingBucket(StagingLocation.of(settings))
    bucket.expire_after(days)
    note_earlier_runs(bucket)
    return Prepared(tuple(names), days)
