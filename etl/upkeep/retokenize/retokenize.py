"""Brings published tokens under the primary key version without reading the source, while views keep joining.

Token maps open before the first table changes and close when no table has an old token left.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from etl.audit import Auditor
from etl.clock import now
from etl.cloud.bigquery import Warehouse
from etl.errors import worst
from etl.installation import Installation
from etl.ledger import leased, record_keys
from etl.progress import Progress
from etl.publish import Publisher, drop_map, mapped_domains, publish_views, tells_version
from etl.settings import Settings
from etl.upkeep.retokenize.maps import open_maps, token_domains
from etl.upkeep.retokenize.old_rows import OldRows, find_old_rows
from etl.upkeep.retokenize.restager import Restager
from etl.upkeep.retokenize.table import TableRetokenized, TableRetokenizer
from expectations.suite import BUNDLED as SUITES
from schemas.contract import Contract
from schemas.contract_file import BUNDLED as CONTRACTS
from schemas.contract_file import load_contracts, select_contracts
from schemas.policy import refuse_breaches
from schemas.view_file import load_views


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
    installation = Installation.open(settings)
    warehouse, primary = installation.warehouse, installation.keys.primary
    run_id = f"retokenize-{now():%Y%m%dT%H%M%SZ}-{secrets.token_hex(3)}"
    record_keys(installation.ledger, installation.keys, run_id)
    views = load_views(contracts / "views")
    results: list[TableRetokenized] = []
    old = _old_rows(warehouse, known, primary)
    if old:
        from etl.spark import spark_session  # noqa: PLC0415  Spark starts only when there is something to do

        restager = Restager(
            spark=spark_session(),
            warehouse=warehouse,
            key=installation.key,
            location=installation.location,
            run_id=run_id,
            own_iins=settings.cards.own_iins,
        )
        open_maps(restager, [one.contract for one in old.values()], primary, progress)
        publish_views(warehouse, known, views)
        mine = [one for table, one in old.items() if table in chosen]
        results = _retokenize_tables(installation, restager, mine, suites, progress)
    left = token_domains(one.contract for one in _old_rows(warehouse, known, primary).values())
    done = mapped_domains(warehouse) - set(left)
    standing = publish_views(warehouse, known, views, without_maps=done)
    for domain in done:
        drop_map(warehouse, domain)
    return Retokenized(run_id, primary, tuple(results), tuple(left), standing)


def _retokenize_tables(
    installation: Installation, restager: Restager, old: Sequence[OldRows], suites: Path, progress: Progress
) -> list[TableRetokenized]:
    """Renews the tables of which this run gets the leases; the others' results say who holds them."""
    if not old:
        return []
    ledger, limits = installation.ledger, installation.settings.limits
    publishes = [one.contract.publish for one in old]
    with leased(ledger, restager.run_id, publishes, limits.lease_seconds, limits.lease_wait_seconds) as leases:
        retokenizer = TableRetokenizer(
            restager=restager,
            auditor=Auditor(restager.spark, installation.location, suites),
            publisher=Publisher(installation.warehouse, installation.location),
            ledger=ledger,
            leases=leases,
            progress=progress,
        )
        return [retokenizer.retokenize(one) for one in old]


def _old_rows(warehouse: Warehouse, contracts: Mapping[str, Contract], primary: int) -> dict[str, OldRows]:
    """Returns every published table that has tokens of an earlier version."""
    published = {
        table: contract
        for table, contract in contracts.items()
        if tells_version(contract) and warehouse.find_table(contract.publish) is not None
    }
    found = {table: find_old_rows(warehouse, contract, primary) for table, contract in published.items()}
    return {table: one for table, one in found.items() if one.rows}
