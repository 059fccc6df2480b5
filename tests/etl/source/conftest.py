"""What tests of the source share: a cluster of their own, and the steps from its slices to staged files."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

import pytest

from etl.cloud.storage import StagingLocation
from etl.keys import create_keyring_file, open_keyring
from etl.plan import Scope, TablePlan, plan_table
from etl.settings import Settings, load_settings
from etl.source import HeldSnapshot, join_snapshot
from etl.stage.driver import table_task
from etl.stage.task import TableTask
from masking.keyring import KeyRef, Keyring
from schemas.contract import Contract
from scripts.local_stack.local_stack import Endpoints
from tests.etl.source.cluster import Cluster, pair_contracts

DAY = date(2023, 8, 30)


@pytest.fixture(scope="session")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """Yields the cluster of the tests of the source."""
    found = Cluster(tmp_path_factory.mktemp("cluster"))
    try:
        yield found
    finally:
        found.end()


@pytest.fixture
def cluster(servers: Cluster) -> Cluster:
    """Returns the cluster, mended where the test before has left it broken."""
    servers.mend()
    return servers


@dataclass(frozen=True)
class Staging:
    """What stages slices of the pair: storage and keys of the session's stack."""

    settings: Settings
    contracts: dict[str, Contract]
    keys: Keyring
    key: KeyRef
    target: StagingLocation

    def plan(self, held: HeldSnapshot, table: str, slices: int = 1) -> TablePlan:
        """Plans a table of the pair, cut into about so many slices."""
        with held.governor.turn(), join_snapshot(held.snapshot) as session:
            plan = plan_table(session, self.contracts[table], Scope(DAY), 1 << 40)
            source = session.describe(f"pair.{table}")
            assert source is not None
            return replace(plan, slices=session.slices(source, slices))

    def task(self, held: HeldSnapshot, table: str) -> tuple[TableTask, TablePlan]:
        """Returns what a worker needs to stage the table as one slice."""
        plan = self.plan(held, table)
        return table_task(plan, held.snapshot, self.key, self.target, "faults"), plan


@pytest.fixture(scope="session")
def staging(stack: Endpoints, tmp_path_factory: pytest.TempPathFactory) -> Staging:
    """Returns it."""
    settings = load_settings(stack.settings)
    keyring = Path(settings.keyring.ref.removeprefix("file:"))
    if not keyring.exists():
        create_keyring_file(keyring)
    key = KeyRef(settings.keyring.ref)
    contracts = pair_contracts(tmp_path_factory.mktemp("pair"))
    return Staging(settings, contracts, open_keyring(key), key, StagingLocation.of(settings))
