"""An installation, opened: keyring, staging bucket, BigQuery and ledger are there and answer, or nothing begins."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from etl.cloud.bigquery import Warehouse
from etl.cloud.storage import StagingBucket, StagingLocation
from etl.errors import NO_ROW_READ, TRANSIENT
from etl.keys import open_keyring, stored_keyring
from etl.ledger import Ledger
from etl.settings import Settings
from masking.errors import KagemushaError
from masking.keyring import KeyRef, Keyring


class KeyRotated(KagemushaError):
    """Another key version came into use while a run waited for its tables."""

    advice = "Run again: the next run masks under the version that is in use now."
    exit_code: ClassVar[int] = TRANSIENT


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

    def refuse_rotated(self) -> None:
        """Lets a run that has its tables' leases pass whose key version is the stored keyring's primary one still.

        A version comes into use while somebody else holds all tables, so from here on it stays.

        Raises:
            KeyRotated: it is another one.
        """
        present = stored_keyring(self.settings.keyring.ref).primary
        if present != self.keys.primary:
            raise KeyRotated(
                f"Key version {present} is in use since this run began under version {self.keys.primary}.",
                not_done=NO_ROW_READ,
            )

    @property
    def location(self) -> StagingLocation:
        """Where the staging bucket is, as it travels to workers."""
        return self.bucket.target
