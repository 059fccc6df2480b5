"""How a field is made: on a stack of its own or on a running one, with PostgreSQL as the source or with MariaDB."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Final

from etl.cloud.bigquery import Warehouse
from etl.cloud.storage import StagingBucket, StagingLocation
from etl.keys import create_keyring_file
from etl.settings import LimitSettings, load_settings
from schemas.contract_file import load_contracts
from scripts.fault_injection.database import Database, MariaDb, Postgres
from scripts.fault_injection.field import MOVES_ON, ROOT, Field, objects
from scripts.fault_injection.point import Engine
from scripts.fault_injection.proxy import FaultProxy
from scripts.fault_injection.token_service import TokenService, job_environment, token_service
from scripts.local_stack.local_stack import Endpoints, LocalStack

CONTRACTS: Final = Path(__file__).with_name("issuer") / "contracts"
TABLES: Final = tuple(sorted(file.stem for file in CONTRACTS.glob("*.yaml")))
"""Their tables."""
_LEASE_SECONDS: Final = 8
_LIMITS: Final = f"[limits]\nlease_seconds = {_LEASE_SECONDS}\n"


@contextmanager
def fields(root: Path, *, keys_change: bool = False) -> Iterator[Fields]:
    """Yields fields on a stack of their own, whose data lie below a folder; this process gets a job's environment.

    It has that before the first field is made: the runs that make one start Spark, whose workers keep what they get.
    """
    stack = LocalStack(root)
    stack.reset()
    try:
        with ExitStack() as made:
            found = Fields(stack.up(), root, made, keys_change=keys_change, stack=stack)
            here = {"SPARK_LOCAL_IP": "127.0.0.1", "PYTHONPATH": str(ROOT)}
            os.environ.update({**job_environment(found.tokens), **here})
            yield found
    finally:
        stack.reset()


class Fields:
    """The fields of one stack, each made when the first trial asks for it; `tokens` are Google's for all of them.

    Args:
        ends: of the stack.
        folder: for settings and keys.
        made: closes at its end what was opened.
        contracts: the folder of the contracts that are loaded.
        keys_change: see `field_on`.
        stack: where it is nobody else's.
    """

    def __init__(
        self,
        ends: Endpoints,
        folder: Path,
        made: ExitStack,
        *,
        contracts: Path = CONTRACTS,
        keys_change: bool = False,
        stack: LocalStack | None = None,
    ) -> None:
        self._ends, self._folder, self._made, self._stack = ends, folder, made, stack
        self._contracts, self._keys_change = contracts, keys_change
        self.tokens = made.enter_context(token_service())
        self._known: dict[Engine, Field] = {}

    def of(self, engine: Engine) -> Field:
        """Returns the field whose source is such a database."""
        if engine not in self._known:
            folder = self._folder / f"field_{engine}"
            folder.mkdir(parents=True, exist_ok=True)
            made = field_on(
                self._ends, folder, self.tokens, engine, contracts=self._contracts, keys_change=self._keys_change
            )
            self._known[engine] = self._made.enter_context(made)
            self._known[engine].stack = self._stack
        return self._known[engine]


@contextmanager
def field_on(
    ends: Endpoints,
    folder: Path,
    tokens: TokenService,
    engine: Engine = "postgres",
    *,
    contracts: Path = CONTRACTS,
    keys_change: bool = False,
) -> Iterator[Field]:
    """Yields a field on a running stack; both states have been published once, by undisturbed runs.

    Args:
        ends: of the stack.
        folder: for the settings by which a run meets the faults.
        tokens: Google's service.
        engine: the kind of its source; MariaDB is started, and its tables are published elsewhere, without views.
        contracts: the folder of the contracts that are loaded.
        keys_change: whether tokens may be renewed; then columns that depend on a key are not compared. Such a field,
            and that of MariaDB, has a keyring and a ledger of its own: nobody else's files are of an earlier version.
    """
    database: Database = Postgres(ends)
    settings = ends.settings
    if engine == "mysql":
        settings, database = _mysql(LocalStack(ends.root))
        contracts = _published_elsewhere(contracts, folder)
    text = settings.read_text(encoding="utf-8")
    if keys_change or engine == "mysql":
        own = f"{engine}_of_changing_keys" if keys_change else engine
        text = re.sub(r'(?m)^(ops_dataset = )"ops"$', rf'\1"ops_{own}"', text)
        text = re.sub(r"(?m)^(ref = ).*$", rf'\1"file:{folder / "keys" / "own.json"}"', text)
    with _opened(ends, folder, text, database, contracts, tokens) as made:
        if keys_change:
            made.unseen |= _names_of_tokens(made)
        database.make()
        try:
            _publish_both_states(made)
            yield made
        finally:
            database.drop()


def _mysql(stack: LocalStack) -> tuple[Path, MariaDb]:
    """Starts MariaDB in a stack; returns the settings that name it as the source."""
    found = stack.up(mysql=True).mysql
    if found is None:
        raise RuntimeError("the stack has no MariaDB")
    return found.settings, MariaDb(stack, found)


@contextmanager
def _opened(
    ends: Endpoints, folder: Path, text: str, database: Database, contracts: Path, tokens: TokenService
) -> Iterator[Field]:
    """Yields a field before anything is published."""
    base, disturbed = folder / "undisturbed.toml", folder / "disturbed.toml"
    base.write_text(text, encoding="utf-8")
    limits = LimitSettings(lease_seconds=_LEASE_SECONDS, lease_wait_seconds=60)
    settings = load_settings(base).model_copy(update={"limits": limits})
    keyring = Path(settings.keyring.ref.removeprefix("file:"))
    if not keyring.exists():
        create_keyring_file(keyring)
    with FaultProxy(ends.storage).running() as storage, FaultProxy(ends.bigquery).running() as bigquery:
        text = text.replace("[local]", f"{_LIMITS}\n[local]")
        text = text.replace(ends.storage, storage.url).replace(ends.bigquery, bigquery.url)
        disturbed.write_text(re.sub(r"(?m)^local = true$", "local = true\nconnect_seconds = 4", text), "utf-8")
        stage = StagingBucket(StagingLocation.of(settings))
        yield Field(
            ends=ends,
            settings=settings,
            disturbed=disturbed,
            folder=contracts,
            database=database,
            storage=storage,
            bigquery=bigquery,
            tokens=tokens,
            contracts=load_contracts(contracts),
            warehouse=Warehouse.of(settings),
            stage=stage,
            strangers=objects(stage),
            unseen=frozenset({MOVES_ON}),
        )


def _published_elsewhere(contracts: Path, folder: Path) -> Path:
    """Returns a copy of the contracts that publishes into another dataset."""
    copied = folder / "contracts"
    copied.mkdir(exist_ok=True)
    for file in contracts.glob("*.yaml"):
        text = file.read_text(encoding="utf-8").replace("publish: small.", "publish: small_of_mysql.")
        (copied / file.name).write_text(text, encoding="utf-8")
    return copied


def _names_of_tokens(made: Field) -> frozenset[str]:
    """Returns the columns that depend on a key."""
    selected = [contract.selected.items() for contract in made.contracts.values()]
    return frozenset(name for columns in selected for name, column in columns if column.mask.key_uses())


def _publish_both_states(made: Field) -> None:
    """Publishes both states, and remembers them."""
    states = []
    for _ in range(2):
        result = made.run()
        if result.exit_code:
            raise RuntimeError(f"an undisturbed run failed: {[one.error for one in result.tables]} {result.error}")
        states.append(made.rows())
        made.turn()
    made.today, made.yesterday = states
    made.tables = made.published_tables()
