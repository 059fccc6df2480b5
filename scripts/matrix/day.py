"""One business day of a made-up issuer, loaded by one runtime after another into an empty BigQuery."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from etl.cloud.bigquery import Warehouse
from etl.keys import create_keyring_file
from etl.settings import Settings, load_settings
from schemas.contract_file import load_contracts
from scripts.local_stack.local_stack import LocalStack
from scripts.matrix.runtime import ROOT, Runtime

FIRST_DAY: Final = "2023-06-01"
DAY: Final = "2023-08-30"
PAYMENTS: Final = 6_000


@dataclass(frozen=True)
class Day:
    """The issuer at the end of the day, and where runs may work.

    Attributes:
        file: the settings of the stack.
        scratch: a folder outside the checkout.
    """

    file: Path
    settings: Settings
    scratch: Path

    @property
    def tables(self) -> int:
        """How many tables there are."""
        return len(load_contracts())

    def loaded_by(self, runtime: Runtime) -> tuple[int, str]:
        """Empties BigQuery and has a runtime load the day.

        Returns:
            The exit code, and a digest of all values in every published table and view; none of a load that failed.
        """
        warehouse = Warehouse(self.settings.bigquery)
        for dataset in list(warehouse.client.list_datasets()):
            warehouse.client.delete_dataset(dataset.reference, delete_contents=True)
        code = runtime.load(DAY, self.file, self.scratch)
        return code, "" if code else published(warehouse)


def published(warehouse: Warehouse) -> str:
    """Returns a digest of all values in every published table and view."""
    known = {contract.publish: contract.partition_by for contract in load_contracts().values()}
    views = warehouse.settings.views_dataset
    known |= {f"{views}.{item.table_id}": None for item in warehouse.client.list_tables(views)}
    checksums = [(name, checksum(warehouse, name, day)) for name, day in sorted(known.items())]
    return hashlib.sha256(repr(checksums).encode()).hexdigest()


def checksum(warehouse: Warehouse, name: str, day: str | None) -> str:
    """Returns a digest of a table's rows that does not depend on their order.

    Args:
        warehouse: where it is.
        name: of the table or view.
        day: the column that it is partitioned by, which a query must name.
    """
    condition = f" WHERE `{day}` >= '2000-01-01'" if day else ""
    rows = warehouse.client.query_and_wait(f"SELECT * FROM `{name}`{condition}")
    digests = sorted(hashlib.sha256(repr(tuple(row.items())).encode()).digest() for row in rows)
    return hashlib.sha256(b"".join(digests)).hexdigest()


@contextmanager
def seeded(scratch: Path) -> Iterator[Day]:
    """Yields the day on a local stack of its own, whose keyring all runtimes use."""
    stack = LocalStack(scratch / "stack")
    try:
        ends = stack.up()
        settings = load_settings(ends.settings)
        create_keyring_file(Path(settings.keyring.ref.removeprefix("file:")))
        subprocess.run(
            [
                *(sys.executable, "scripts/synth.py", "create", "--scale", str(PAYMENTS)),
                *("--first-day", FIRST_DAY, "--last-day", DAY, "--url", ends.primary_url),
            ],
            cwd=ROOT,
            check=True,
            stdout=subprocess.DEVNULL,
        )
        yield Day(ends.settings, settings, scratch)
    finally:
        stack.reset()
