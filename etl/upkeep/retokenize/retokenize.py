"""Brings published tokens under a new key version without reading the source, while views keep joining.

Token maps open while nobody can publish, and only then does a pending version come into use; they close when no table
has an old token left. So every step may be broken off: before, all is masked as it was; after, all old tokens lead on.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from etl.audit import Auditor
from etl.clock import now
from etl.cloud.bigquery import Warehouse
from etl.cloud.storage import note_run
from etl.errors import worst
from etl.installation import Installation
from etl.keys import activate_keyring, open_keyring, stored_keyring
from etl.ledger import record_keys, record_renewed
from etl.progress import Progress
from etl.publish import Publisher, drop_map, holding, mapped_domains, publish_views, tells_version
from etl.settings import Settings
from etl.upkeep.retokenize.maps import open_maps, token_domains
from etl.upkeep.retokenize.old_rows import OldRows, find_old_rows
from etl.upkeep.retokenize.restager import Restager
from etl.upkeep.retokenize.table import TableRetokenized, TableRetokenizer
from expectations.suite import BUNDLED as SUITES
from masking.keyring import KeyRef
from schemas.contract import Contract
from schemas.contract_file import BUNDLED as CONTRACTS
from schemas.contract_file import load_contracts, select_contracts
from schemas.policy import refuse_breaches
from schemas.view_file import View, load_views


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
    run_id = f"retokenize-{now():%Y%m%dT%H%M%SZ}-{secrets.token_hex(3)}"
    use = record_keys(installation.ledger, installation.keys, run_id)
    views = load_views(contracts / "views")
    restager, old = _activated(installation, known, views, run_id, progress)
    keys, version = open_keyring(restager.key), restager.version
    results: list[TableRetokenized] = []
    if old:
        mine = [one for table, one in old.items() if table in chosen]
        results = _retokenize_tables(installation, restager, mine, suites, progress)
    left = _close_maps(installation.warehouse, known, views, version)
    if not left and version not in use.renewed:
        record_renewed(installation.ledger, keys, run_id)
    standing = publish_views(installation.warehouse, known, views)
    return Retokenized(run_id, version, tuple(results), left, standing)


def _activated(
    installation: Installation,
    known: Mapping[str, Contract],
    views: Sequence[View],
    run_id: str,
    progress: Progress,
) -> tuple[Restager, dict[str, OldRows]]:
    """Leads all old tokens to the new version's, then puts that into use; returns what is left to be renewed.

    All tables' leases are held meanwhile: no run is under way that began under the version before, and none comes whose
    tokens would be in no map.

    Raises:
        LeaseHeld: a run publishes one of the tables; nothing was changed.
    """
    warehouse, limits = installation.warehouse, installation.settings.limits
    tables = list(_telling(warehouse, known).values())
    with holding(installation.ledger, run_id, tables, limits) as leases:
        held = next((refusal for one in tables if (refusal := leases.refusal(one.publish))), None)
        if held is not None:
            raise held
        restager = _restager(installation, run_id)
        old = _old_rows(warehouse, known, restager.version)
        if old:
            note_run(installation.bucket, run_id)
            open_maps(restager, [one.contract for one in old.values()], restager.version, progress)
            publish_views(warehouse, known, views)
        activate_keyring(installation.settings.keyring.ref, restager.version)
    return restager, old


def _restager(installation: Installation, run_id: str) -> Restager:
    """Returns what stages under the pending version; where there is none, under the primary one."""
    ref = installation.settings.keyring.ref
    keys = stored_keyring(ref)
    newest = keys.version(keys.pending or keys.primary)
    return Restager(
        warehouse=installation.warehouse,
        key=KeyRef(ref, newest.version, newest.kcv),
        location=installation.location,
        run_id=run_id,
        own_iins=installation.settings.cards.own_iins,
    )


def _close_maps(
    warehouse: Warehouse, known: Mapping[str, Contract], views: Sequence[View], version: int
) -> tuple[str, ...]:
    """Drops the maps of domains without old tokens, once no view looks through them; returns the other domains."""
    left = token_domains(one.contract for one in _old_rows(warehouse, known, version).values())
    done = mapped_domains(warehouse) - set(left)
    publish_views(warehouse, known, views, without_maps=done)
    for domain in done:
        drop_map(warehouse, domain)
    return tuple(left)


def _retokenize_tables(
    installation: Installation, restager: Restager, old: Sequence[OldRows], suites: Path, progress: Progress
) -> list[TableRetokenized]:
    """Renews the tables of which this run gets the leases; the others' results say who holds them."""
    if not old:
        return []
    ledger, limits = installation.ledger, installation.settings.limits
    with holding(ledger, restager.run_id, [one.contract for one in old], limits) as leases:
        retokenizer = TableRetokenizer(
            restager=restager,
            auditor=Auditor(restager.spark(), installation.location, suites),
            publisher=Publisher(installation.warehouse, installation.location),
            ledger=ledger,
            leases=leases,
            progress=progress,
        )
        return [retokenizer.retokenize(one) for one in old]


def _old_rows(warehouse: Warehouse, contracts: Mapping[str, Contract], primary: int) -> dict[str, OldRows]:
    """Returns every published table that has tokens of an earlier version."""
    telling = _telling(warehouse, contracts)
    found = {table: find_old_rows(warehouse, contract, primary) for table, contract in telling.items()}
    return {table: one for table, one in found.items() if one.rows}


def _telling(warehouse: Warehouse, contracts: Mapping[str, Contract]) -> dict[str, Contract]:
    """Returns the published tables whose rows tell their key version."""
    return {
        table: contract
        for table, contract in contracts.items()
        if tells_version(contract) and warehouse.find_table(contract.publish) is not None
    }
