"""Forgets persons: counts first; when it is meant, one statement a table under the table's lease, written down twice.

Nothing here shows or keeps an identifier: the ledger has a keyed hash of each.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from etl.clock import now
from etl.cloud.bigquery import change
from etl.errors import worst
from etl.ledger import Leases, Ledger, record_keys
from etl.publish import holding, map_table_name, mapped_domains
from etl.settings import Settings
from etl.upkeep.erase.persons import (
    ErasureRefused,
    TokenColumn,
    keyed_columns,
    references,
    token_columns,
    unsearchable,
    versions,
)
from etl.upkeep.erase.tables import TableErasure, erase_rows, note_of, refuse_unemptied, rows_found, rule_of
from etl.upkeep.keys.held import Held, held_by_table
from etl.upkeep.requester import account, checked_purpose, host
from masking.errors import CONTRACT_MUST_CHANGE, KagemushaError
from masking.keyring import Keyring
from masking.leaks import OwnIins
from schemas.contract import Contract


@dataclass(frozen=True)
class Erasure:
    """What an erasure found, or did; counts and names only.

    Attributes:
        applied: False for a dry run.
        others: tables that hold the persons under other identifiers, with the domains of these.
        documents: table.column of JSON columns that hold the domain's tokens inside documents.
        lost_versions: key versions that were used and then destroyed; their tokens cannot be looked for.
        unsearched: what holds tokens of these versions: the persons may be among them, and nobody can tell.
        mapped: rows of the domain's token map that were deleted.
    """

    erasure_id: str
    domain: str
    persons: int
    key_versions: tuple[int, ...]
    applied: bool
    tables: tuple[TableErasure, ...]
    others: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    documents: tuple[str, ...] = ()
    lost_versions: tuple[int, ...] = ()
    unsearched: tuple[Held, ...] = ()
    mapped: int = 0

    @property
    def exit_code(self) -> int:
        """0 done · 2 something must change, or could not be searched · 3 run again; the worst of the tables."""
        unsearched = CONTRACT_MUST_CHANGE if self.unsearched else 0
        return worst(unsearched, *(one.exit_code for one in self.tables))


_Target = tuple[Contract, tuple[TokenColumn, ...]]


def forget(
    settings: Settings,
    ledger: Ledger,
    contracts: Mapping[str, Contract],
    keys: Keyring,
    domain: str,
    persons: Sequence[str],
    purpose: str = "",
    *,
    apply: bool = False,
) -> Erasure:
    """Finds persons in every published table of a domain and, on request, erases them as the contracts say.

    Args:
        settings: of the installation.
        ledger: where it is written down, before and after.
        contracts: all of them.
        keys: tokens are looked for under every version that is not destroyed.
        domain: of the identifiers.
        persons: the identifiers as the source has them.
        purpose: the case; needed to apply.
        apply: False counts only.

    Raises:
        ErasureRefused: no table is of the domain, a table has no rule, an identifier is none, or there is no purpose.
        KeyUnusable: the keyring is not the one under which the tables were masked: nothing would be found.
        LeaseHeld: other runs hold all of the tables.
    """
    erasure_id = f"forget-{now():%Y%m%dT%H%M%SZ}-{secrets.token_hex(3)}"
    use = record_keys(ledger, keys, erasure_id)
    stated = checked_purpose(purpose, ErasureRefused, "Nothing was erased.") if apply else ""
    targets = list(_targets(ledger, contracts, keys, domain, persons, settings.cards.own_iins))
    found = [
        TableErasure(contract.table, rule_of(contract), rows_found(ledger, contract, columns), note=note_of(contract))
        for contract, columns in targets
    ]
    lost = tuple(sorted(use.used - set(versions(keys))))
    erasure = Erasure(
        erasure_id=erasure_id,
        domain=domain,
        persons=len(persons),
        key_versions=versions(keys),
        applied=apply,
        tables=tuple(found),
        others=_others(contracts, [contract for contract, _ in targets]),
        documents=tuple(f"{one.table}.{name}" for one in contracts.values() for name in unsearchable(one, domain)),
        lost_versions=lost,
        unsearched=tuple(
            held for contract, _ in targets for version in lost if (held := held_by_table(ledger, contract, version))
        ),
    )
    if not apply:
        return erasure
    request = {
        "erasure_id": erasure.erasure_id,
        "asked_by": f"{account()}@{host()}",
        "purpose": stated,
        "domain": domain,
        "persons": len(persons),
        "references": references(domain, persons, keys),
        "key_versions": list(erasure.key_versions),
    }
    erased = [one for one, _ in targets if rule_of(one) != "keep"]
    with holding(ledger, erasure.erasure_id, erased, settings.limits) as leases:
        _write_down(ledger, "begun", request, erasure.tables)
        done = tuple(
            _erased(ledger, erasure.erasure_id, target, one, leases) for target, one in zip(targets, found, strict=True)
        )
        _write_down(ledger, "incomplete" if erasure.unsearched else "ended", request, done)
    return replace(erasure, tables=done, mapped=_unmapped(ledger, domain, targets))


def _targets(
    ledger: Ledger,
    contracts: Mapping[str, Contract],
    keys: Keyring,
    domain: str,
    persons: Sequence[str],
    own_iins: OwnIins,
) -> Iterator[_Target]:
    """Yields the published tables of the domain, each with the columns and tokens to look for."""
    of_domain = [contract for contract in contracts.values() if any(keyed_columns(contract, domain))]
    if not of_domain:
        known = sorted({name for one in contracts.values() for name in _domains(one)})
        raise ErasureRefused(
            f"No table has tokens of domain {domain}.",
            not_done="Nothing was erased.",
            advice=f"Domains: {', '.join(known)}.",
        )
    for contract in of_domain:
        rule_of(contract)
        columns = token_columns(contract, domain, persons, keys, own_iins)
        refuse_unemptied(contract, columns)
        if ledger.warehouse.find_table(contract.publish) is not None:
            yield contract, columns


def _domains(contract: Contract) -> set[str]:
    return {domain for column in contract.selected.values() for domain, _ in column.mask.key_uses()}


def _others(contracts: Mapping[str, Contract], reached: Sequence[Contract]) -> dict[str, tuple[str, ...]]:
    """Returns tables that this erasure does not reach but that hold the persons under identifiers of other domains."""
    masked_there = {domain for contract in reached for domain in _domains(contract)}
    names = {contract.table for contract in reached}
    shared = {
        contract.table: tuple(sorted(_domains(contract) & masked_there))
        for contract in contracts.values()
        if contract.table not in names
    }
    return {table: domains for table, domains in shared.items() if domains}


def _erased(ledger: Ledger, erasure_id: str, target: _Target, found: TableErasure, leases: Leases) -> TableErasure:
    contract, columns = target
    if found.rule == "keep":
        return found
    try:
        refusal = leases.refusal(contract.publish)
        if refusal is not None:
            raise refusal
        changed, job_id = erase_rows(ledger, erasure_id, contract, columns, leases.of(contract.publish))
    except KagemushaError as error:
        return replace(found, error=str(error), exit_code=error.exit_code)
    return replace(found, changed=changed, job_id=job_id)


def _write_down(ledger: Ledger, event: str, request: Mapping[str, object], tables: Sequence[TableErasure]) -> None:
    at = now()
    rows = [
        {
            **request,
            "event": event,
            "table_name": one.table,
            "rule": one.rule,
            "rows_found": one.found,
            "rows_changed": None if event == "begun" else one.changed,
            "job_id": one.job_id or None,
            "at": at,
        }
        for one in tables
    ]
    ledger.append("erasures", rows)


def _unmapped(ledger: Ledger, domain: str, targets: Sequence[_Target]) -> int:
    """Deletes the persons' rows of the domain's token map, where one is open; gives how many."""
    if domain not in mapped_domains(ledger.warehouse):
        return 0
    tokens = sorted({token for _, columns in targets for column in columns for token in column.tokens})
    table = ledger.table_id(map_table_name(ledger.warehouse, domain).rpartition(".")[2])
    sql = f"DELETE FROM `{table}` WHERE token IN UNNEST(@tokens) OR `current` IN UNNEST(@tokens)"
    return change(ledger.warehouse, "The token map could not be erased", sql, tokens=tokens)
