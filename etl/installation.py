"""An installation, opened: keyring, staging bucket, BigQuery and ledger are there and answer, or nothing begins."""

from __future__ import annotations

from dataclasses import dataclass

from etl.cloud.bigquery import Warehouse
from etl.cloud.storage import StagingBucket, StagingLocation
from etl.keys import open_keyring
from etl.ledger import Ledger
from etl.settings import Settings
from masking.keyring import KeyRef, Keyring


@dataclass(frozen=True)
class Installation:
    """What a run works with besides the source.

    Attributes:
        settings: of the installation.
        keys: the keyring as it was when the installation was opened.
        bucket: where files are staged.
        warehouse: where tables are published.
        ledger: where runs are written down; its tables exist.
    """

    settings: Settings
    keys: Keyring
    bucket: StagingBucket
    warehouse: Warehouse
    ledger: Ledger

    @classmethod
    def open(cls, settings: Settings) -> Installation:
        """Opens all that the settings name, proves that it answers, and makes the ledger's tables where they lack.

        Raises:
            KagemushaError: the keyring cannot be used, or the bucket or BigQuery is missing, forbidden or silent.
        """
        keys = open_keyring(KeyRef(settings.keyring.ref))
        bucket, warehouse = StagingBucket(StagingLocation.of(settings)), Warehouse.of(settings)
        bucket.check()
        warehouse.check()
        ledger = Ledger(warehouse)
        ledger.ensure()
        return cls(settings=settings, keys=keys, bucket=bucket, warehouse=warehouse, ledger=ledger)

    @property
    def key(self) -> KeyRef:
        """The primary version, pinned: a rotation meanwhile does not change under which key a run masks."""
        primary = self.keys.version(self.keys.primary)
        return KeyRef(self.settings.keyring.ref, primary.version, primary.kcv)

    @property
    def location(self) -> StagingLocation:
        """Where the staging bucket is, as it travels to workers."""
        return self.bucket.target
