"""Brings published tokens under the primary key version without reading the source, while views keep joining.

Token maps open before the first table changes and close when no table has an old token left.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from etl.clock import now
from etl.cloud.bigquery.warehouse import Warehouse
from etl.cloud.storage.bucket import StagingBucket, StagingLocation
from etl.errors import worst
from etl.keys.keyrings import open_keyring
from etl.ledger.key_events import record_keys
from etl.ledger.leases import leased
from etl.ledger.ledger import Ledger
from etl.progress import Progress
from etl.publish.token_maps import drop_map, load_map, mapped_domains, old_tokens_sql
from etl.publish.token_versions import tells_version
from etl.publish.views import load_views, publish_views
from etl.settings import Settings
from etl.source.slice import Slice
from etl.upkeep.retokenize.old_rows import OldRows, find_old_rows
from etl.upkeep.retokenize.table import RetokenRun, TableRetokenized, retokenize_table, staged_slices
from etl.upkeep.retokenize.task import MAP_SCHEMA, RetokenTask, stage_map
from expectations.suite import BUNDLED as SUITES
from masking.keyring import KeyRef
from masking.leaks import Allowed
from masking.strategies import Fpe, KeyedStrategy
from schemas.contract import Contract
from schemas.contract_file import BUNDLED as CONTRACTS
from schemas.contract_file import load_contracts, select_contracts
from schemas.domains import rewritable_columns
from schemas.policy import refuse_breaches


@dataclass(frozen=True)
class Retokenized:
    """How a retokenization ended, and which domains still have a token map."""

    run_id: str
    version: int
    tables: tuple[TableRetokenized, ...]
    open_maps: tuple[str, ...]
    views: tuple[str, ...]

    @property
    def exit_code(self) -> int:
        """0 all done · 1 an audit stopped a table · 2 a contract or a key must change · 3 run again."""
        return worst(*(one.exit_code for one in self.tables))


def retokenize(
    settings: Settings,
    progress: Progress,
    tables: Sequence[str] = (),
    contracts: Path = CONTRACTS,
    suites: Path = SUITES,
) -> Retokenized:
    """Renews the tokens of every table, or of those named; safe to run again at any point.

    Args:
        settings: of the installation; the source is not connected to.
        progress: hears of every step.
        tables: names of contracts; empty means all.
        contracts: the folder of the contracts.
        suites: the folder of the suites.

    Raises:
        KagemushaError: nothing could be begun: settings, keyring, bucket, BigQuery, or a token that no key opens.
    """
    known = load_contracts(contracts)
    refuse_breaches(tuple(known.values()))
    chosen = select_contracts(known, tables)
    keys = open_keyring(KeyRef(settings.keyring.ref))
    primary = keys.version(keys.primary)
    target, warehouse = StagingLocation.of(settings), Warehouse.of(settings)
    StagingBucket(target).check()
    warehouse.check()
    ledger = Ledger(warehouse)
    ledger.ensure()
    run_id = f"retokenize-{now():%Y%m%dT%H%M%SZ}-{secrets.token_hex(3)}"
    record_keys(ledger, keys, run_id)
    views = load_views(contracts / "views")
    results: list[TableRetokenized] = []
    old = _old_rows(warehouse, known, primary.version)
    if old:
        from etl.spark import spark_session  # noqa: PLC0415  Spark starts only when there is something to do

        key = KeyRef(settings.keyring.ref, primary.version, primary.kcv)
        run = RetokenRun(
            run_id, spark_session(), key, target, warehouse, ledger, progress, suites, settings.cards.own_iins
        )
        _open_maps(run, [one.contract for one in old.values()], primary.version)
        publish_views(warehouse, known, views)
        mine = [one for table, one in old.items() if table in chosen]
        if mine:
            publishes, limits = [one.contract.publish for one in mine], settings.limits
            with leased(ledger, run_id, publishes, limits.lease_seconds, limits.lease_wait_seconds) as leases:
                results = [retokenize_table(run, one, leases) for one in mine]
    left = _strategies(one.contract for one in _old_rows(warehouse, known, primary.version).values())
    done = mapped_domains(warehouse) - set(left)
    standing = publish_views(warehouse, known, views, without_maps=done)
    for domain in done:
        drop_map(warehouse, domain)
    return Retokenized(run_id, primary.version, tuple(results), tuple(left), standing)


def _old_rows(warehouse: Warehouse, contracts: Mapping[str, Contract], primary: int) -> dict[str, OldRows]:
    """Returns every published table that has tokens of an earlier version."""
    published = {
        table: contract
        for table, contract in contracts.items()
        if tells_version(contract) and warehouse.find_table(contract.publish) is not None
    }
    found = {table: find_old_rows(warehouse, contract, primary) for table, contract in published.items()}
    return {table: one for table, one in found.items() if one.rows}


def _strategies(contracts: Iterable[Contract]) -> dict[str, KeyedStrategy]:
    """Returns the domains of the contracts' tokens, each with the strategy that makes them."""
    uses = (one for contract in contracts for one in rewritable_columns(contract).values())
    return dict(sorted(((one.domain, one) for one in uses), key=lambda pair: pair[0]))


def _allowed(contracts: Iterable[Contract], domain: str) -> Allowed:
    """Returns what tokens of a domain may look like in any of its columns."""
    uses = [
        (contract.columns[column], strategy)
        for contract in contracts
        for column, strategy in rewritable_columns(contract).items()
        if strategy.domain == domain
    ]
    kinds = frozenset(kind for column, _ in uses for kind in column.may_look_like)
    return Allowed(kinds, tokens=any(isinstance(strategy, Fpe) for _, strategy in uses))


def _open_maps(run: RetokenRun, contracts: Sequence[Contract], primary: int) -> None:
    """Makes, or makes complete, the token map of every domain that has old tokens in any table."""
    for domain, strategy in _strategies(contracts).items():
        label = f"token_map_{domain}"
        task = RetokenTask(
            name=label,
            select=old_tokens_sql(run.warehouse, contracts, domain, primary),
            schema=MAP_SCHEMA,
            strategies={"token": strategy},
            allowed=dict.fromkeys(("token", "current"), _allowed(contracts, domain)),
            sums=(),
            warehouse=run.warehouse.settings,
            key=run.key,
            target=run.target,
            folder=run.folder(label),
            own_iins=run.own_iins,
        )
        (staged,) = staged_slices(run.spark, task, (Slice(0, "TRUE"),), stage_map)
        rows = load_map(run.warehouse, domain, run.target.uri(staged.file.name), f"kagemusha_{run.run_id}_{label}")
        run.progress.say(label, "published", rows=rows)
